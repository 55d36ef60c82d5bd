// Small parts that every view uses.
import { type ComponentChildren, Fragment } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Loaded } from "../load";

type Children = { children?: ComponentChildren };

/** Nothing to show, and how there will be something. */
export function Empty({ title, children }: Children & { title: string }) {
  return (
    <section class="note" role="status">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  return (
    <div class="failure" role="alert">
      <span>{error.message}</span>
      {retry && <button onClick={retry}>Try again</button>}
    </div>
  );
}

/** What stands where a value is not there yet, or never came. */
export function Waiting<T>({ loaded: { error, reload }, what }: { loaded: Loaded<T>; what: string }) {
  if (error) return <Failure error={error} retry={reload} />;
  return (
    <div class="waiting" role="status">
      <span class="spinner" aria-hidden="true" /> Loading {what} …
    </div>
  );
}

/** Broken between words alone, never behind the dashes of an option. */
export function Command({ text }: { text: string }) {
  const words = text.split(" ").map((word, i) => (
    <Fragment key={i}>
      {i > 0 && " "}
      <span>{word}</span>
    </Fragment>
  ));
  return <code class="command">{words}</code>;
}

interface SliderProps {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  text: string; // the value, as it is shown and read
  onInput: (value: number) => void;
}
export function Slider({ label, value, min, max, step, text, onInput }: SliderProps) {
  const id = useId();
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <output for={id}>{text}</output>
      <input
        {...{ id, min, max, step, value }}
        type="range"
        aria-valuetext={text}
        onInput={(event) => onInput(event.currentTarget.valueAsNumber)}
      />
    </div>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}
/** One of a few. */
export function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      {options.map(([option, text]) => (
        <label key={option}>
          <input type="radio" name={name} checked={option === value} onChange={() => onChange(option)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}

interface DialogProps extends Children {
  title: string;
  action: string;
  danger?: boolean;
  onSubmit: () => Promise<void>; // what it throws is shown
  onClose: () => void;
}
/** Asks before something is done, and stays open with the reason where it could not be. */
export function Dialog({ title, action, danger, onSubmit, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const [error, setError] = useState<Error>();
  useEffect(() => dialog.current!.showModal(), []);
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      await onSubmit();
      onClose();
    } catch (reason) {
      setError(reason as Error);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby={heading} onClose={onClose}>
      <form onSubmit={submit}>
        <h2 id={heading}>{title}</h2>
        {children}
        {error && <Failure error={error} />}
        <div class="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button class={danger ? "danger" : "primary"}>{action}</button>
        </div>
      </form>
    </dialog>
  );
}
