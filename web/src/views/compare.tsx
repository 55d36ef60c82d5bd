import { useEffect, useMemo, useState } from "preact/hooks";
import { api, type ReportKey, type Reports, type Run } from "../api";
import { ago, count, loss, short } from "../format";
import { useLoad, useStored } from "../load";
import { AxisChoice, useAxis } from "../parts/axis_choice";
import { Chart, type Curve } from "../parts/chart";
import { Choice, Command, Dialog, Empty, Failure, Waiting } from "../parts/controls";
import { StateBadge } from "../parts/state_badge";
import { followReports, pointsOf } from "../reports";

const kColors = 8; // --run-0 to --run-7
const kFirstChosen = 4;
const kListEvery = 4000; // milliseconds

/** The runs whose curves are shown, each at the place of its colour. */
type Chosen = (Run | undefined)[];

/** Runs beside each other: what tells them apart, how good they are, their curves in one picture. */
export function Compare() {
  const runs = useLoad(api.runs, [], kListEvery);
  const [picked, setPicked] = useStored<(string | null)[] | null>("rune-compared", null);
  if (!runs.value) return <Waiting loaded={runs} what="runs" />;
  if (runs.value.length === 0) {
    return (
      <Empty title="Nothing to compare yet">
        <p>Train two ways on one text, and see here which is better:</p>
        <Command text="rune train book.txt -o runs/lstm" />
        <Command text="rune train book.txt -o runs/gru --cell gru" />
      </Empty>
    );
  }
  const all = runs.value;
  const best = all.toSorted(by(kSorts.best)).slice(0, kFirstChosen);
  const chosen: Chosen = picked ? picked.map((id) => all.find((run) => run.id === id)) : best;
  const ids = chosen.map((run) => run?.id ?? null);
  const toggle = (id: string) => {
    const place = ids.indexOf(id);
    if (place >= 0) return setPicked(ids.with(place, null));
    const free = ids.indexOf(null);
    if (free >= 0) return setPicked(ids.with(free, id));
    setPicked(ids.length < kColors ? [...ids, id] : ids.with(-1, id));
  };
  const onRenamed = (old: string, id: string) => {
    setPicked(ids.map((other) => (other === old ? id : other)));
    runs.reload();
  };
  return (
    <div class="stack">
      {runs.error && <Failure error={runs.error} retry={runs.reload} />}
      <Overlay runs={chosen} />
      <RunTable {...{ runs: all, chosen, toggle, onRenamed }} onDeleted={runs.reload} />
    </div>
  );
}

const kLosses = [
  ["validation_loss", "Validation"],
  ["train_loss", "Training"],
] as const satisfies [ReportKey, string][];
type LossKey = (typeof kLosses)[number][0];

function Overlay({ runs: chosen }: { runs: Chosen }) {
  const axisState = useAxis();
  const { axis, shared } = axisState;
  const [key, setKey] = useState<LossKey>("validation_loss");
  const runs = chosen.filter((run) => run !== undefined);
  const { reports, error } = useReportsOf(runs);
  const curves = useMemo<Curve[]>(
    () =>
      chosen.flatMap((run, i) => {
        const known = run && reports[run.id];
        return known ? [{ label: run.name, color: `--run-${i}`, points: pointsOf(known, axis, key) }] : [];
      }),
    [chosen.map((run) => run && run.id + run.name).join("\n"), reports, axis, key],
  );
  return (
    <section class="card" aria-label="Curves">
      <div class="card-head">
        <Choice label="Loss" value={key} options={kLosses} onChange={setKey} />
        <AxisChoice label="by" state={axisState} />
      </div>
      {error && <Failure error={error} />}
      {runs.length === 0 ? (
        <p class="muted">Choose runs in the table to see their curves here.</p>
      ) : (
        <Chart title="Loss" curves={curves} height={320} formatY={loss} {...shared} />
      )}
    </section>
  );
}

/** The reports of several runs by id, as far as they are there. */
function useReportsOf(runs: Run[]) {
  const [reports, setReports] = useState<Record<string, Reports>>({});
  const [error, setError] = useState<Error>();
  useEffect(() => {
    const abort = new AbortController();
    for (const run of runs) {
      const known = reports[run.id];
      followReports(run.id, known, run.last?.step ?? -1, abort.signal)
        .then((value) => {
          if (value !== known) setReports((all) => ({ ...all, [run.id]: value }));
        })
        .catch((reason: Error) => {
          if (!abort.signal.aborted) setError(reason);
        });
    }
    return () => abort.abort();
  }, [runs.map((run) => `${run.id} ${run.last?.step}`).join("\n")]);
  return { reports, error };
}

/** A column's value, by which it is sorted; null comes last. */
type Sort = (run: Run) => string | number | null;
const kSorts = {
  name: (run) => run.name,
  best: (run) => run.best?.validation_loss ?? null,
  step: (run) => run.last?.step ?? null,
  train: (run) => run.last?.train_loss ?? null,
  speed: (run) => run.last?.characters_per_second ?? null,
  modified: (run) => -run.modified,
} satisfies Record<string, Sort>;
type SortName = keyof typeof kSorts;

function by(sort: Sort, descending = false) {
  const collator = new Intl.Collator("en", { numeric: true });
  return (one: Run, other: Run) => {
    const [a, b] = [sort(one), sort(other)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    const order = typeof a === "string" ? collator.compare(a, String(b)) : a - Number(b);
    return descending ? -order : order;
  };
}

const kColumns: { sort: SortName; title: string; wide?: boolean }[] = [
  { sort: "name", title: "Run" },
  { sort: "best", title: "Best loss" },
  { sort: "train", title: "Training loss", wide: true },
  { sort: "step", title: "Steps", wide: true },
  { sort: "speed", title: "Characters/s", wide: true },
  { sort: "modified", title: "Changed", wide: true },
];

interface RunTableProps {
  runs: Run[];
  chosen: Chosen;
  toggle: (id: string) => void;
  onRenamed: (old: string, id: string) => void;
  onDeleted: () => void;
}
function RunTable({ runs, chosen, toggle, onRenamed, onDeleted }: RunTableProps) {
  const [order, setOrder] = useState<{ sort: SortName; descending: boolean }>({ sort: "best", descending: false });
  const [asked, setAsked] = useState<{ what: "rename" | "delete"; run: Run }>();
  const sorted = runs.toSorted(by(kSorts[order.sort], order.descending));
  const close = () => setAsked(undefined);
  return (
    <section class="card" aria-label="Runs">
      <table class="run-table">
        <thead>
          <tr>
            <th class="tick">
              <span class="hidden">Shown</span>
            </th>
            {kColumns.map(({ sort, title, wide }) => {
              const current = order.sort === sort;
              return (
                <th
                  key={sort}
                  scope="col"
                  class={wide ? "wide number" : sort === "name" ? "" : "number"}
                  aria-sort={current ? (order.descending ? "descending" : "ascending") : undefined}
                >
                  <button class="sort" onClick={() => setOrder({ sort, descending: current && !order.descending })}>
                    {title}
                    <span aria-hidden="true">{current ? (order.descending ? " ↓" : " ↑") : ""}</span>
                  </button>
                </th>
              );
            })}
            <th scope="col" class="wide">
              What differs
            </th>
            <th>
              <span class="hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((run) => (
            <tr key={run.id}>
              <td class="tick">
                <Tick run={run} place={chosen.indexOf(run)} onChange={() => toggle(run.id)} />
              </td>
              <th scope="row">
                <a href={`#/training/${run.id}`}>{run.name}</a> <StateBadge run={run} small />
                <span class="run-about">{run.model}</span>
                <Differences config={run.config} narrow />
              </th>
              <td class="number best">{loss(run.best?.validation_loss)}</td>
              <td class="wide number">{loss(run.last?.train_loss)}</td>
              <td class="wide number">{count(run.last?.step)}</td>
              <td class="wide number">{short(run.last?.characters_per_second)}</td>
              <td class="wide number">{ago(run.modified)}</td>
              <td class="wide">
                <Differences config={run.config} />
              </td>
              <td>
                <div class="row-actions">
                  <button
                    class="quiet"
                    aria-label={`Rename ${run.name}`}
                    onClick={() => setAsked({ what: "rename", run })}
                  >
                    Rename
                  </button>
                  <button
                    class="quiet"
                    aria-label={`Delete ${run.name}`}
                    onClick={() => setAsked({ what: "delete", run })}
                  >
                    Delete
                  </button>
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {asked?.what === "rename" && <Rename run={asked.run} onDone={onRenamed} onClose={close} />}
      {asked?.what === "delete" && <Delete run={asked.run} onDone={onDeleted} onClose={close} />}
    </section>
  );
}

/** `place`: its colour; -1: not shown. */
function Tick({ run, place, onChange }: { run: Run; place: number; onChange: () => void }) {
  return (
    <input
      type="checkbox"
      aria-label={`Show the curve of ${run.name}`}
      checked={place >= 0}
      style={{ accentColor: place >= 0 ? `var(--run-${place})` : "" }}
      onChange={onChange}
    />
  );
}

/** "model.hidden_size" is known well enough as "hidden_size". */
function Differences({ config, narrow }: { config: Run["config"]; narrow?: boolean }) {
  return (
    <span class={narrow ? "differences narrow" : "differences"}>
      {Object.entries(config).map(([name, value]) => (
        <span key={name} title={name}>
          {name.split(".").at(-1)} <b>{value}</b>
        </span>
      ))}
    </span>
  );
}

interface AskedProps<Done> {
  run: Run;
  onDone: Done;
  onClose: () => void;
}
function Rename({ run, onDone, onClose }: AskedProps<RunTableProps["onRenamed"]>) {
  const [name, setName] = useState(run.name);
  const submit = async () => {
    onDone(run.id, (await api.rename(run.id, name)).id);
  };
  return (
    <Dialog title={`Rename ${run.name}`} action="Rename" onSubmit={submit} onClose={onClose}>
      <label class="field">
        New name
        <input required maxLength={100} value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
    </Dialog>
  );
}

function Delete({ run, onDone, onClose }: AskedProps<RunTableProps["onDeleted"]>) {
  const submit = async () => {
    await api.delete(run.id);
    onDone();
  };
  return (
    <Dialog title={`Delete ${run.name}?`} action="Move to the trash" danger onSubmit={submit} onClose={onClose}>
      <p>It moves to the folder “trash” beside it, from where it can be taken back.</p>
    </Dialog>
  );
}
