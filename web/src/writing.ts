import { useEffect, useMemo, useState } from "preact/hooks";
import { api, type Candidate, type CompletionChunk, type CompletionRequest, type Model } from "./api";
import { useLoad, useStored } from "./load";
import type { Sampling } from "./sampling";
import { align, fullLength, stillScored, type ScoredText } from "./surprise";

export interface Settings extends Sampling {
  length: number;
  seed: string; // empty: another one each time
  colored: boolean; // by surprise
}
export const kSettings: Settings = { temperature: 0.8, top_k: 0, top_p: 1, length: 300, seed: "", colored: false };

/** What the model wrote last, and all it takes to have it again. */
export interface Passage {
  request: CompletionRequest; // with the text before it and its seed
  text: string;
  after: string; // what stood behind it and was kept
  seconds: number;
}

/** What the character that has just been written was drawn from: the most probable alone. */
export interface Drawing {
  candidates: Candidate[];
  drawn: string;
}

const kPause = 150; // milliseconds without a change, after which the model is asked about a text
const kDrawingFrom = 20; // the most that the server tells of

/** A text that a person and a model write together: its state, and what either of them does to it. */
export function useWriting(model: Model, settings: Settings, moveCaret: (place: number) => void) {
  const [text, setText] = useStored("rune-text", "");
  const [spot, setSpot] = useState(text.length); // the character that is looked into
  const [passage, setPassage] = useState<Passage>();
  const [past, setPast] = useState<string[]>([]);
  const [drawing, setDrawing] = useState<Drawing>();
  const [running, setRunning] = useState<AbortController>();
  const [failed, setFailed] = useState<Error>();
  const [known, setKnown] = useState<ScoredText>({ text: "", surprise: [] });
  const settled = useSettled(text, running ? Infinity : kPause);
  const knows = useAlphabet(model);
  const unknownIn = (some: string) => [...new Set(some)].filter((character) => knows?.(character) === false);
  const score = useScore(model.id, settings.colored ? settled : "", setKnown);
  useEffect(() => () => running?.abort(), [running]);

  const requestAfter = (prompt: string): CompletionRequest => ({
    model: model.id,
    prompt,
    max_tokens: settings.length,
    temperature: settings.temperature,
    top_k: settings.top_k,
    top_p: settings.top_p,
    ...(/^\d+$/.test(settings.seed) ? { seed: Number(settings.seed) } : {}),
    ...(knows && unknownIn(prompt).length === 0 ? {} : { unknown: "skip" }),
  });
  const stop = () => {
    running?.abort();
    setRunning(undefined);
    setDrawing(undefined);
  };
  const place = (caret: number) => {
    setSpot(caret);
    moveCaret(caret);
  };

  /** Lets the model write between two texts. */
  const write = async (before: string, after: string) => {
    stop();
    const abort = new AbortController();
    setRunning(abort);
    setFailed(undefined);
    setPast([...past, text]);
    const request = requestAfter(before);
    const begun = performance.now();
    let written = "";
    let scored = fullLength(stillScored(known, before), before);
    try {
      for await (const chunk of api.complete({ ...request, logprobs: kDrawingFrom }, abort.signal)) {
        if (abort.signal.aborted) break;
        const piece = scoredPiece(chunk);
        scored = { text: scored.text + piece.text, surprise: scored.surprise.concat(piece.surprise) };
        setKnown(scored);
        written += piece.text;
        setDrawing(drawingOf(chunk));
        setText(before + written + after);
        place(before.length + written.length);
        const seconds = (performance.now() - begun) / 1000;
        setPassage({ request: { ...request, seed: chunk.seed }, text: written, after, seconds });
      }
    } catch (reason) {
      if (!abort.signal.aborted) setFailed(reason as Error);
    }
    if (abort.signal.aborted) return;
    setRunning(undefined);
    setDrawing(undefined);
  };

  return {
    text,
    settled,
    spot,
    passage,
    drawing,
    writing: running !== undefined,
    error: failed ?? score.error,
    /** What is known of the text's surprise. */
    scored: stillScored(known, text),
    /** The characters that the model passes over, each once. */
    unknown: unknownIn(settled),
    /** What would be asked for now, at the end of the text. */
    request: requestAfter(text),
    canUndo: past.length > 0,
    lookAt: setSpot,
    stop,
    writeAt: (caret: number) => write(text.slice(0, caret), text.slice(caret)),
    /** The last passage anew: another text, unless a seed is kept. */
    writeAgain: () => passage && write(passage.request.prompt, passage.after),
    edit: (next: string, caret: number) => {
      stop();
      setText(next);
      setSpot(caret);
      if (passage && !next.startsWith(passage.request.prompt + passage.text)) setPassage(undefined);
    },
    /** Puts another character at the spot; what stands behind it is written anew. */
    choose: (character: string) => {
      const before = text.slice(0, spot) + character;
      if (spot < text.length) return void write(before, "");
      setText(before);
      place(before.length);
    },
    undo: () => {
      stop();
      const last = past.at(-1) ?? text;
      setPast(past.slice(0, -1));
      setText(last);
      setPassage(undefined);
      place(last.length);
    },
  };
}
export type Writing = ReturnType<typeof useWriting>;

/** The value, once it has not changed for so long. */
function useSettled<T>(value: T, pause: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    if (pause === Infinity) return;
    const timer = setTimeout(() => setSettled(value), pause);
    return () => clearTimeout(timer);
  }, [value, pause]);
  return settled;
}

/** Whether a model knows a character; nothing where its units are others, or while that is not clear. */
function useAlphabet({ id, unit, lowercase }: Model): ((character: string) => boolean) | undefined {
  const { value } = useLoad((signal) => api.next(id, "", 0, signal), [id]);
  return useMemo(() => {
    const alphabet = new Set(value?.map(({ character }) => character));
    if (unit !== "char" || alphabet.size === 0) return undefined;
    return (character: string) =>
      alphabet.has("<unk>") || alphabet.has(lowercase ? character.toLowerCase() : character);
  }, [value, unit, lowercase]);
}

/** Asks for the surprise of a text; an empty one needs none. */
function useScore(model: string, text: string, setKnown: (scored: ScoredText) => void) {
  return useLoad(
    async (signal) => {
      if (text !== "") setKnown(align(text, await api.score(model, text, signal)));
    },
    [model, text],
  );
}

function scoredPiece({ choices: [choice] }: CompletionChunk): ScoredText {
  if (!choice?.logprobs) return { text: choice?.text ?? "", surprise: [] };
  const surprise = choice.logprobs.token_logprobs.map((nats) => -nats / Math.LN2);
  return align(choice.text, { characters: choice.logprobs.tokens, surprise });
}

function drawingOf({ choices: [choice] }: CompletionChunk): Drawing | undefined {
  const drawn = choice?.logprobs?.tokens.at(-1);
  const likely = choice?.logprobs?.top_logprobs.at(-1);
  if (drawn === undefined || !likely) return undefined;
  const candidates = Object.entries(likely).map(([character, nats]) => ({ character, probability: Math.exp(nats) }));
  return { candidates: candidates.sort((a, b) => b.probability - a.probability), drawn };
}
