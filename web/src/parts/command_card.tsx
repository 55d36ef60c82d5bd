import { useEffect, useRef, useState } from "preact/hooks";
import { key, type CompletionRequest } from "../api";
import { commandFor, kLanguages, type Language } from "../commands";
import { Choice } from "./controls";

/** The same text from a shell or a program. */
export function CommandCard({ request }: { request: CompletionRequest }) {
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
        <Choice label="Copy as" value={language} options={kLanguages} onChange={setLanguage} />
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
