import { useEffect, useRef, useState } from "preact/hooks";
import { api, key, type CompletionRequest, type Model } from "../api";
import { commandFor, kLanguages, type Language } from "../commands";
import { count, short } from "../format";
import { useLoad, useStored } from "../load";
import { Choice, Command, Empty, Failure, Slider, Waiting } from "../parts/controls";
import { Distribution } from "../parts/distribution";
import { Editor, type EditorHandle } from "../parts/editor";
import type { Sampling } from "../sampling";
import { align, stillScored, type ScoredText } from "../surprise";

/** Writes together with a model. */
export function Write() {
  const models = useLoad(api.models, []);
  const [id, setId] = useStored("rune-model", "");
  if (!models.value) return <Waiting loaded={models} what="models" />;
  const model = models.value.find((model) => model.id === id) ?? models.value[0];
  if (!model) {
    return (
      <Empty title="No model writes here">
        <p>This server shows runs only. Start one with a model, a run directory or a .safetensors file:</p>
        <Command text="rune serve runs/book" />
      </Empty>
    );
  }
  return <Desk key={model.id} model={model} models={models.value} chooseModel={setId} />;
}

interface Settings extends Sampling {
  length: number;
  seed: string; // empty: another one each time
  colored: boolean;
}
const kSettings: Settings = { temperature: 0.8, top_k: 0, top_p: 1, length: 300, seed: "", colored: false };
const kMostCandidates = 1000; // of an alphabet with thousands of characters
const kPause = 150; // milliseconds without typing

/** What was written last, so that it can be had again. */
interface Passage {
  begin: number; // in the text
  request: CompletionRequest;
  characters: number;
  seconds: number;
}

interface DeskProps {
  model: Model;
  models: Model[];
  chooseModel: (id: string) => void;
}
function Desk({ model, models, chooseModel }: DeskProps) {
  const [settings, setSettings] = useStored<Settings>("rune-settings", kSettings);
  const [text, setText] = useStored("rune-text", "");
  const [spot, setSpot] = useState(text.length); // the character that is looked into
  const [passage, setPassage] = useState<Passage>();
  const [past, setPast] = useState<string[]>([]);
  const [writing, setWriting] = useState<AbortController>();
  const [error, setError] = useState<Error>();
  const [scored, setScored] = useState<ScoredText>({ text: "", surprise: [] });
  const editor = useRef<EditorHandle>(null);
  const set = (change: Partial<Settings>) => setSettings({ ...settings, ...change });

  const settled = useSettled(text, writing ? Infinity : kPause);
  useSurprise(model, settings.colored && !writing ? settled : "", scored, setScored, setError);
  useEffect(() => () => writing?.abort(), [writing]);

  const requestFor = (prompt: string, seed = settings.seed): CompletionRequest => ({
    model: model.id,
    prompt,
    max_tokens: settings.length,
    temperature: settings.temperature,
    top_k: settings.top_k,
    top_p: settings.top_p,
    ...(/^\d+$/.test(seed) ? { seed: Number(seed) } : {}),
    unknown: "skip",
  });

  /** Lets the model write between two texts. */
  const write = async (before: string, after: string, seed?: string) => {
    writing?.abort();
    const abort = new AbortController();
    setWriting(abort);
    setError(undefined);
    setPast([...past, text]);
    const request = requestFor(before, seed);
    const begun = performance.now();
    let written = "";
    let known = stillScored(scored, before);
    if (known.text !== before) known = { text: "", surprise: [] };
    try {
      for await (const chunk of api.complete({ ...request, ...(settings.colored ? { logprobs: 0 } : {}) }, abort.signal)) {
        const choice = chunk.choices[0];
        if (!choice || abort.signal.aborted) continue;
        written += choice.text;
        setText(before + written + after);
        setSpot(before.length + written.length);
        editor.current?.moveTo(before.length + written.length);
        if (choice.logprobs && known.text.length === before.length + written.length - choice.text.length) {
          const surprise = choice.logprobs.token_logprobs.map((nats) => -nats / Math.LN2);
          const more = align(choice.text, { characters: choice.logprobs.tokens, surprise });
          known = { text: known.text + choice.text, surprise: known.surprise.concat(more.surprise) };
          setScored(known);
        }
        const seconds = (performance.now() - begun) / 1000;
        setPassage({
          begin: before.length,
          request: { ...request, seed: chunk.seed },
          characters: [...written].length,
          seconds,
        });
      }
    } catch (reason) {
      if (!abort.signal.aborted) setError(reason as Error);
    }
    setWriting((current) => (current === abort ? undefined : current));
  };

  const stop = () => {
    writing?.abort();
    setWriting(undefined);
  };
  const writeOn = () => {
    const caret = editor.current?.caret() ?? text.length;
    void write(text.slice(0, caret), text.slice(caret));
  };
  const writeAgain = () => {
    if (passage) void write(passage.request.prompt, "");
  };
  const undo = () => {
    stop();
    setText(past.at(-1) ?? text);
    setPast(past.slice(0, -1));
    setSpot(past.at(-1)?.length ?? 0);
    setPassage(undefined);
  };
  const edit = (next: string, caret: number) => {
    stop();
    setText(next);
    setSpot(caret);
    if (passage && !next.startsWith(passage.request.prompt)) setPassage(undefined);
  };
  /** Another character at the spot; what stood behind it is written anew. */
  const choose = (character: string) => {
    const before = text.slice(0, spot) + character;
    if (spot < text.length) return void write(before, "");
    setText(before);
    setSpot(before.length);
    editor.current?.moveTo(before.length);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      writeOn();
    } else if (event.key === "Escape" && writing) {
      stop();
    }
  };

  return (
    <div class="desk" onKeyDown={onKeyDown}>
      <section class="card page" aria-label="Text">
        <Editor
          ref={editor}
          text={text}
          onEdit={edit}
          onSpot={setSpot}
          spot={spot}
          written={passage ? [passage.begin, passage.begin + passage.characters] : undefined}
          scored={settings.colored ? stillScored(scored, text) : undefined}
        />
        {error && <Failure error={error} />}
        <div class="bar">
          {writing ? (
            <button class="primary" onClick={stop}>
              Stop <kbd>Esc</kbd>
            </button>
          ) : (
            <button class="primary" onClick={writeOn}>
              Write <kbd>Ctrl ↵</kbd>
            </button>
          )}
          <button onClick={writeAgain} disabled={!passage}>
            Write again
          </button>
          <button onClick={undo} disabled={past.length === 0}>
            Undo
          </button>
          <label class="check">
            <input
              type="checkbox"
              checked={settings.colored}
              onChange={(event) => set({ colored: event.currentTarget.checked })}
            />
            Colour by surprise
          </label>
        </div>
        <div class="bar said" role="status">
          {passage && !writing && <Provenance passage={passage} keepSeed={(seed) => set({ seed })} />}
          {settings.colored && <Scale />}
        </div>
      </section>
      <aside class="stack" aria-label="How it writes">
        <section class="card">
          <label class="field">
            Model
            <select value={model.id} onChange={(event) => chooseModel(event.currentTarget.value)}>
              {models.map(({ id }) => (
                <option key={id} value={id}>
                  {id}
                </option>
              ))}
            </select>
          </label>
          <p class="muted">
            {model.cell} {model.layers} × {model.hidden_size} · {short(model.parameters)} parameters · {count(model.alphabet)}{" "}
            characters
          </p>
          <SamplingSliders {...{ settings, set, alphabet: model.alphabet }} />
          <div class="pair">
            <Slider
              label="Length"
              text={count(settings.length)}
              {...{ value: settings.length, min: 20, max: 2000, step: 20, onInput: (length) => set({ length }) }}
            />
            <label class="field">
              Seed
              <input
                inputMode="numeric"
                pattern="[0-9]*"
                placeholder="a new one each time"
                value={settings.seed}
                onInput={(event) => set({ seed: event.currentTarget.value })}
              />
            </label>
          </div>
        </section>
        <Distribution {...{ model: model.id, text: settled, spot, sampling: settings, choose }} most={kMostCandidates} />
        <Commands request={passage?.request ?? requestFor(text)} />
      </aside>
    </div>
  );
}

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

/** Keeps the surprise of a text up to date; an empty text needs none. */
function useSurprise(
  model: Model,
  text: string,
  scored: ScoredText,
  setScored: (scored: ScoredText) => void,
  setError: (error: Error | undefined) => void,
) {
  useEffect(() => {
    if (text === "" || scored.text === text) return;
    const abort = new AbortController();
    api
      .score(model.id, text, abort.signal)
      .then((score) => {
        setScored(align(text, score));
        setError(undefined);
      })
      .catch((reason: Error) => {
        if (!abort.signal.aborted) setError(reason);
      });
    return () => abort.abort();
  }, [model.id, text]);
}

interface SamplingProps {
  settings: Settings;
  set: (change: Partial<Settings>) => void;
  alphabet: number;
}
function SamplingSliders({ settings, set, alphabet }: SamplingProps) {
  const most = Math.min(alphabet, 100);
  return (
    <>
      <Slider
        label="Temperature"
        text={settings.temperature === 0 ? "0: the most probable" : settings.temperature.toFixed(2)}
        {...{ value: settings.temperature, min: 0, max: 2, step: 0.05, onInput: (temperature) => set({ temperature }) }}
      />
      <Slider
        label="Top-k"
        text={settings.top_k === 0 ? "all" : count(settings.top_k)}
        {...{ value: settings.top_k || most, min: 1, max: most, step: 1 }}
        onInput={(top_k) => set({ top_k: top_k === most ? 0 : top_k })}
      />
      <Slider
        label="Top-p"
        text={settings.top_p === 1 ? "all" : settings.top_p.toFixed(2)}
        {...{ value: settings.top_p, min: 0.05, max: 1, step: 0.01, onInput: (top_p) => set({ top_p }) }}
      />
    </>
  );
}

/** Where a passage came from. */
function Provenance({ passage, keepSeed }: { passage: Passage; keepSeed: (seed: string) => void }) {
  const { request, characters, seconds } = passage;
  return (
    <span>
      {count(characters)} characters in {seconds.toFixed(1)} s · seed <b class="seed">{request.seed}</b>{" "}
      <button class="quiet" onClick={() => keepSeed(String(request.seed))}>
        Keep this seed
      </button>
    </span>
  );
}

const kScale = ["0", "1", "2", "3", "4", "5", "6+"];

function Scale() {
  return (
    <span class="scale">
      <span>Surprise in bits</span>
      {kScale.map((text, level) => (
        <span key={text} class={`surprise-${level}`}>
          {text}
        </span>
      ))}
    </span>
  );
}

/** The same text from a shell or a program. */
function Commands({ request }: { request: CompletionRequest }) {
  const [language, setLanguage] = useState<Language>("curl");
  const [copied, setCopied] = useState("");
  const pre = useRef<HTMLPreElement>(null);
  const command = commandFor[language](request, location.origin, key.get() !== null);
  useEffect(() => setCopied(""), [command]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(command);
      setCopied("Copied");
    } catch {
      // Without HTTPS only this machine may.
      getSelection()?.selectAllChildren(pre.current!);
      setCopied("Selected; press Ctrl+C");
    }
  };
  return (
    <section class="card" aria-label="From elsewhere">
      <div class="card-head">
        <Choice label="The same with" value={language} options={kLanguages} onChange={setLanguage} />
        <button onClick={copy}>Copy</button>
      </div>
      <pre ref={pre} tabIndex={0} aria-label="Command">
        {command}
      </pre>
      <p class="muted" role="status">
        {copied}
      </p>
    </section>
  );
}
