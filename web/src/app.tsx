import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, ApiError, key } from "./api";
import { Failure } from "./parts/controls";
import { applyTheme, storedTheme, themeAfter, type Theme } from "./parts/theme";
import { Compare } from "./views/compare";
import { Training } from "./views/training";
import { Write } from "./views/write";

interface View {
  name: string;
  title: string;
  Content: FunctionComponent<{ id: string }>;
}
const kViews: View[] = [
  { name: "training", title: "Training", Content: Training },
  { name: "compare", title: "Compare", Content: Compare },
  { name: "write", title: "Write", Content: Write },
];

/** "#/training/ID": a view and what it shows. */
function useRoute(): { view: View; id: string } {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  const [, name, id] = hash.split("/");
  return { view: kViews.find((view) => view.name === name) ?? kViews[0]!, id: decodeURIComponent(id ?? "") };
}

export function App() {
  const { view, id } = useRoute();
  const [locked, setLocked] = useState(false);
  useEffect(() => {
    key.onRefused = () => setLocked(true);
  }, []);
  useEffect(() => {
    document.title = `${view.title} · rune`;
  }, [view]);

  const { Content } = view;
  return (
    <>
      <a class="skip" href="#content" onClick={skipToContent}>
        Skip to the content
      </a>
      <header class="top">
        <span class="brand">
          <Sign /> rune
        </span>
        <nav aria-label="Views">
          {kViews.map(({ name, title }) => (
            <a key={name} href={`#/${name}`} aria-current={name === view.name ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <ThemeButton />
      </header>
      <main id="content" tabIndex={-1}>
        <h1 class="hidden">{view.title}</h1>
        {locked ? <KeyForm onAccepted={() => setLocked(false)} /> : <Content id={id} />}
      </main>
    </>
  );
}

// The address's fragment names the view, so that it cannot name an element.
function skipToContent(event: Event) {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

function Sign() {
  return (
    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true" class="sign">
      <path d="M11 27V5l10 7-10 7 10 8" />
    </svg>
  );
}

const kThemeTitles: Record<Theme, string> = { auto: "automatic", light: "light", dark: "dark" };

function ThemeButton() {
  const [theme, setTheme] = useState(storedTheme());
  const change = () => {
    const next = themeAfter(theme);
    applyTheme(next);
    setTheme(next);
  };
  const title = `Colours: ${kThemeTitles[theme]}`;
  return (
    <button class="icon" onClick={change} title={title} aria-label={title}>
      <svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true" data-icon={theme}>
        <circle cx="12" cy="12" r="8" fill="none" stroke="currentColor" stroke-width="1.8" />
        {theme !== "light" && <path d="M12 4a8 8 0 0 1 0 16z" fill="currentColor" />}
        {theme === "dark" && <path d="M12 4a8 8 0 0 0 0 16z" fill="currentColor" />}
      </svg>
    </button>
  );
}

/** The server wants a key; it is kept until the tab is closed. */
function KeyForm({ onAccepted }: { onAccepted: () => void }) {
  const [given, setGiven] = useState("");
  const [error, setError] = useState<Error>();
  const submit = async (event: Event) => {
    event.preventDefault();
    key.set(given.trim());
    try {
      await api.models();
      onAccepted();
    } catch (reason) {
      const refused = reason instanceof ApiError && reason.status === 401;
      setError(refused ? new Error("This is not the key of this server.") : (reason as Error));
    }
  };
  return (
    <form class="note" onSubmit={submit}>
      <h2>This server wants its API key</h2>
      <p>It stands in the file that the server was started with (--api-key-file), or in RUNE_API_KEY.</p>
      <label class="field">
        API key
        <input
          type="password"
          autocomplete="off"
          required
          value={given}
          onInput={(event) => setGiven(event.currentTarget.value)}
        />
      </label>
      {error && <Failure error={error} />}
      <button class="primary">Use this key</button>
    </form>
  );
}
