import { useCallback, useEffect, useState } from "preact/hooks";

/** What was asked for: not there yet, there, or failed. What is there stays until there is something newer. */
export interface Loaded<T> {
  value: T | undefined;
  error: Error | undefined;
  reload(): void;
}

/** Asks again when one of `inputs` changes, and every so many milliseconds while somebody looks. */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, inputs: unknown[], every?: number): Loaded<T> {
  const [state, setState] = useState<{ value: T | undefined; error: Error | undefined }>({
    value: undefined,
    error: undefined,
  });
  const [asked, setAsked] = useState(0);
  const reload = useCallback(() => setAsked((n) => n + 1), []);

  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const turn = async () => {
      try {
        const value = await load(abort.signal);
        if (!abort.signal.aborted) setState({ value, error: undefined });
      } catch (error) {
        if (!abort.signal.aborted) setState(({ value }) => ({ value, error: error as Error }));
      }
      wait();
    };
    const wait = () => {
      if (every !== undefined && !abort.signal.aborted) timer = setTimeout(document.hidden ? wait : turn, every);
    };
    void turn();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [...inputs, every, asked]);

  return { ...state, reload };
}

/** A state that outlives the view and a reload of the page, until the tab is closed. */
export function useStored<T>(name: string, initial: T): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => {
    const stored = sessionStorage.getItem(name);
    return stored === null ? initial : (JSON.parse(stored) as T);
  });
  const store = useCallback((next: T) => {
    setValue(next);
    try {
      sessionStorage.setItem(name, JSON.stringify(next));
    } catch {
      sessionStorage.removeItem(name); // too long to be kept
    }
  }, []);
  return [value, store];
}
