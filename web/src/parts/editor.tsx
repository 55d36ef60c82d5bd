import { forwardRef } from "preact/compat";
import { useImperativeHandle, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { levelOf, type ScoredText } from "../surprise";

export interface EditorHandle {
  caret(): number;
  /** Puts the caret there with the next rendering. */
  moveTo(place: number): void;
}

interface EditorProps {
  text: string;
  spot: number; // the character that is looked into; the text's length: none
  written: [number, number] | undefined; // the passage that the model wrote
  scored: ScoredText | undefined;
  onEdit: (text: string, caret: number) => void;
  onSpot: (spot: number) => void;
}

/**
 * A text area over a layer of the same text, whose letters cannot be seen and whose backgrounds tell what the model
 * wrote, how surprised it was, and which character is looked into.
 */
export const Editor = forwardRef<EditorHandle, EditorProps>(function Editor(props, handle) {
  const { text, spot, written, scored, onEdit, onSpot } = props;
  const area = useRef<HTMLTextAreaElement>(null);
  const layer = useRef<HTMLDivElement>(null);
  const wanted = useRef<number | undefined>(undefined);

  useImperativeHandle(
    handle,
    () => ({
      caret: () => area.current!.selectionStart,
      moveTo: (place) => {
        wanted.current = place;
      },
    }),
    [],
  );
  useLayoutEffect(() => {
    if (wanted.current === undefined) return;
    area.current!.setSelectionRange(wanted.current, wanted.current);
    wanted.current = undefined;
  });

  const stretches = useMemo(() => cut(text, spot, written, scored), [text, spot, written?.[0], written?.[1], scored]);
  const lookAtCaret = () => {
    const { selectionStart, selectionEnd } = area.current!;
    if (selectionStart === selectionEnd) onSpot(selectionStart);
  };
  const lookAtPoint = (event: MouseEvent) => {
    const caret = area.current!.selectionStart;
    const before = caret > 0 && covers(layer.current!, caret - 1, event.clientX, event.clientY);
    if (caret === area.current!.selectionEnd) onSpot(before ? beginAt(text, caret - 1) : caret);
  };
  return (
    <div class="editor">
      <div ref={layer} class="layer prose" aria-hidden="true">
        {stretches.map(({ from, to, look }) => (
          <span key={from} class={look}>
            {text.slice(from, to)}
          </span>
        ))}
        {"\u200b"}
      </div>
      <textarea
        ref={area}
        class="prose"
        aria-label="Text"
        spellcheck={false}
        autocapitalize="off"
        placeholder="Begin a text here, or let the model begin."
        value={text}
        onInput={(event) => onEdit(event.currentTarget.value, event.currentTarget.selectionStart)}
        onKeyUp={(event) => {
          if (/^(Arrow|Home|End|Page)/.test(event.key)) lookAtCaret();
        }}
        onClick={lookAtPoint}
      />
    </div>
  );
});

/** Where the character begins of which a UTF-16 unit is a part. */
const beginAt = (text: string, i: number) => (/[\uDC00-\uDFFF]/.test(text.charAt(i)) ? i - 1 : i);

interface Stretch {
  from: number;
  to: number;
  look: string; // class names
}

/** Cuts a text into stretches that look the same. */
function cut(
  text: string,
  spot: number,
  written: [number, number] | undefined,
  scored: ScoredText | undefined,
): Stretch[] {
  const lookOf = (i: number) => {
    if (beginAt(text, i) === spot) return "spot";
    const bits = scored?.surprise[i];
    if (bits !== undefined && !Number.isNaN(bits)) return `surprise-${levelOf(bits)}`;
    return !scored && written && i >= written[0] && i < written[1] ? "written" : "";
  };
  const stretches: Stretch[] = [];
  for (let i = 0; i < text.length; ++i) {
    const look = lookOf(i);
    const last = stretches.at(-1);
    if (last?.look === look) last.to = i + 1;
    else stretches.push({ from: i, to: i + 1, look });
  }
  return stretches;
}

/** Whether the character at an index of an element's text lies under a point of the window. */
function covers(element: HTMLElement, index: number, x: number, y: number): boolean {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let rest = index, node = walker.nextNode(); node; node = walker.nextNode()) {
    const length = node.nodeValue!.length;
    if (rest < length) {
      const range = document.createRange();
      range.setStart(node, rest);
      range.setEnd(node, rest + 1);
      return [...range.getClientRects()].some((r) => x >= r.left && x < r.right && y >= r.top && y < r.bottom);
    }
    rest -= length;
  }
  return false;
}
