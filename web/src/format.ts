// Numbers and characters, as a person reads them.

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });
const precise = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });

export const kUnknown = "–";

type Value = number | null | undefined;
const known = (format: (value: number) => string) => (value: Value) =>
  value === null || value === undefined || !Number.isFinite(value) ? kUnknown : format(value);

export const count = known((value) => whole.format(value));
export const short = known((value) => compact.format(value));
export const loss = known((value) => value.toFixed(4));
export const small = known((value) =>
  value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(1).replace("-", "−") : precise.format(value),
);
export const percent = known((value) =>
  value === 0 ? "0 %" : value < 0.001 ? "<0.1 %" : `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`,
);

export const brief = (seconds: number) => (seconds < 0.1 ? "less than 0.1 s" : `${seconds.toFixed(1)} s`);

/** 0:44, 3:07:12 */
export const duration = known((seconds) => {
  const total = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(total / 3600), Math.floor(total / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`;
});

const kAgo: [number, Intl.RelativeTimeFormatUnit][] = [
  [60, "second"],
  [60, "minute"],
  [24, "hour"],
  [30, "day"],
  [12, "month"],
  [Infinity, "year"],
];

/** "5 minutes ago"; `time` in seconds since 1970. */
export function ago(time: number, now = Date.now() / 1000): string {
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  let past = Math.max(0, now - time);
  for (const [size, unit] of kAgo) {
    if (past < size) return unit === "second" ? "just now" : words.format(-Math.floor(past), unit);
    past /= size;
  }
  return "";
}

const kShown: Record<string, string> = { " ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍", "<EOS>": "∎" };
const kSpoken: Record<string, string> = { " ": "space", "\n": "new line", "\t": "tab", "<EOS>": "the end" };

/** A character as a sign of its own: ␣ for a space. */
export const shown = (character: string) => kShown[character] ?? character.replace(/^bytes:/, "");
/** A character by name: "space". */
export const spoken = (character: string) => kSpoken[character] ?? character;
