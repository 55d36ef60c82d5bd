import { useMemo } from "preact/hooks";
import { api } from "../api";
import { percent, shown, spoken } from "../format";
import { useLoad } from "../load";
import { chances, type Sampling } from "../sampling";
import { bitsOf } from "../surprise";
import { Waiting } from "./controls";

const kShown = 12;

interface DistributionProps {
  model: string;
  text: string;
  spot: number; // in the text: what might stand there
  sampling: Sampling;
  most: number; // characters to ask for
  choose: (character: string) => void;
}

/** What the model expects at a spot, and what of it would be drawn; a click puts another character there. */
export function Distribution({ model, text, spot, sampling, most, choose }: DistributionProps) {
  const prompt = text.slice(0, spot);
  const candidates = useLoad((signal) => api.next(model, prompt, most, signal), [model, prompt]);
  const { temperature, top_k, top_p } = sampling;
  const all = useMemo(
    () => chances(candidates.value ?? [], { temperature, top_k, top_p }),
    [candidates.value, temperature, top_k, top_p],
  );
  if (!candidates.value || candidates.error) {
    return (
      <section class="card">
        <Waiting loaded={candidates} what="what comes next" />
      </section>
    );
  }
  const standing = spot < text.length ? String.fromCodePoint(text.codePointAt(spot)!) : undefined;
  const rank = all.findIndex(({ character }) => character === standing);
  const rows = all.slice(0, kShown);
  if (rank >= kShown) rows.push(all[rank]!);
  const widest = Math.max(...rows.map(({ probability, chance }) => Math.max(probability, chance)));
  return (
    <section class="card" aria-label="Distribution">
      <div class="card-head">
        <h3>{standing === undefined ? "What comes next" : `Instead of ${spoken(standing)}`}</h3>
        <span class="muted">
          {standing === undefined
            ? `${all.filter(({ chance }) => chance > 0).length} can be drawn`
            : rank < 0
              ? "unknown to the model"
              : `${bitsOf(all[rank]!).toFixed(1)} bits, number ${rank + 1}`}
        </span>
      </div>
      <ol class="bars">
        {rows.map(({ character, probability, chance }) => (
          <li key={character}>
            <button
              class={chance > 0 ? "bar-row" : "bar-row never"}
              aria-pressed={character === standing}
              aria-label={`${spoken(character)}: ${percent(chance)}, at temperature 1 ${percent(probability)}`}
              onClick={() => choose(character === "<EOS>" ? "" : character)}
            >
              <span class="sign-of">{shown(character)}</span>
              <span class="bar-track">
                <span class="expected" style={{ width: `${(100 * probability) / widest}%` }} />
                <span class="drawn" style={{ width: `${(100 * chance) / widest}%` }} />
              </span>
              <span class="number">{percent(chance)}</span>
            </button>
          </li>
        ))}
      </ol>
      <p class="muted">
        {standing === undefined
          ? "A click appends the character."
          : "A click puts another character there and writes on from it."}{" "}
        Pale: at temperature 1.
      </p>
    </section>
  );
}
