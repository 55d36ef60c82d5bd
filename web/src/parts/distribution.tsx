import { useMemo } from "preact/hooks";
import { api } from "../api";
import { percent, shown, spoken } from "../format";
import { useLoad } from "../load";
import { chances, type Chance, type Sampling } from "../sampling";
import { bitsOf } from "../surprise";
import type { Drawing } from "../writing";
import { Waiting } from "./controls";

const kShown = 12;
const kMost = 1000; // of alphabets with thousands of characters

interface DistributionProps {
  model: string;
  text: string;
  spot: number; // in the text: what might stand there
  sampling: Sampling;
  choose: (character: string) => void;
  drawing: Drawing | undefined;
}

/** What the model expects at a spot, and what of it would be drawn; a click puts another character there. */
export function Distribution({ model, text, spot, sampling, choose, drawing }: DistributionProps) {
  const prompt = text.slice(0, spot);
  const candidates = useLoad(
    async (signal) => ({ prompt, expected: await api.next(model, prompt, kMost, signal) }),
    [model, prompt],
  );
  const { temperature, top_k, top_p } = sampling;
  const expected = drawing?.candidates ?? candidates.value?.expected;
  const all = useMemo(
    () => chances(expected ?? [], { temperature, top_k, top_p }),
    [expected, temperature, top_k, top_p],
  );
  if (!expected || candidates.error) {
    return (
      <section class="card">
        <Waiting loaded={candidates} what="what comes next" />
      </section>
    );
  }
  const standing = drawing?.drawn ?? (spot < text.length ? String.fromCodePoint(text.codePointAt(spot)!) : undefined);
  const settled = drawing === undefined && candidates.value?.prompt === prompt;
  const canStand = (character: string) => settled && !character.startsWith("bytes:"); // which are no text alone
  const rank = all.findIndex(({ character }) => character === standing);
  const rows = all.slice(0, kShown);
  if (rank >= kShown) rows.push(all[rank]!);
  const widest = Math.max(...rows.map(({ probability, chance }) => Math.max(probability, chance)));
  return (
    <section class="card" aria-label="Distribution">
      <div class="card-head">
        <h2>{titleOf(standing, drawing !== undefined)}</h2>
        <span class="muted">{standing === undefined ? drawable(all) : standingOf(all[rank], rank)}</span>
      </div>
      <ol class={drawing ? "bars drawing" : "bars"} aria-busy={!settled}>
        {rows.map(({ character, probability, chance }, i) => (
          <li key={i} /* the focus stays at its place */>
            <button
              class={chance > 0 ? "bar-row" : "bar-row never"}
              aria-pressed={character === standing}
              aria-disabled={!canStand(character)}
              onClick={() => canStand(character) && choose(character === "<EOS>" ? "" : character)}
            >
              <span class="hidden">{spoken(character)}</span>
              <span class="sign-of" aria-hidden="true">
                {shown(character)}
              </span>
              <span class="bar-track">
                <span class="expected" style={{ width: `${(100 * probability) / widest}%` }} />
                <span class="drawn" style={{ width: `${(100 * chance) / widest}%` }} />
              </span>
              <span class="number">{percent(chance)}</span>
              <span class="hidden">, at temperature 1 {percent(probability)}</span>
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

function titleOf(standing: string | undefined, drawing: boolean): string {
  if (drawing) return "Being written";
  return standing === undefined ? "What comes next" : `Instead of “${shown(standing)}”`;
}

const drawable = (all: Chance[]) => `${all.filter(({ chance }) => chance > 0).length} can be drawn`;

const standingOf = (candidate: Chance | undefined, rank: number) =>
  candidate ? `${bitsOf(candidate).toFixed(1)} bits, number ${rank + 1}` : "not among the most probable";
