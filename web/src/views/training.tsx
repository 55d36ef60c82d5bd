import { useEffect, useId, useMemo, useState } from "preact/hooks";
import { api, type ReportKey, type Reports, type Run, type RunDetail, type Sample } from "../api";
import { count, duration, kUnknown, loss, short, small } from "../format";
import { useLoad } from "../load";
import { AxisChoice, useAxis, type AxisState } from "../parts/axis_choice";
import { Chart, type Curve } from "../parts/chart";
import { Command, Empty, Failure, Slider, Waiting } from "../parts/controls";
import { StateBadge } from "../parts/state_badge";
import { usePoints, useReports, useSamples, type Axis } from "../reports";

const kListEvery = 4000; // milliseconds
const kLiveEvery = 1000;

/** A run as it learns, or has learnt. */
export function Training({ id }: { id: string }) {
  const runs = useLoad(api.runs, [], kListEvery);
  if (!runs.value) return <Waiting loaded={runs} what="runs" />;
  const ordered = [...runs.value].sort(newestFirst);
  const chosen = ordered.find((run) => run.id === id) ?? ordered[0];
  if (!chosen) {
    return (
      <Empty title="No runs yet">
        <p>Train on a text, and watch it learn here:</p>
        <Command text="rune train book.txt -o runs/book --serve" />
      </Empty>
    );
  }
  return (
    <div class="beside">
      <RunList runs={ordered} chosen={chosen} />
      <div>
        {runs.error && <Failure error={runs.error} retry={runs.reload} />}
        <RunPanel key={chosen.id} run={chosen} />
      </div>
    </div>
  );
}

const newestFirst = (a: Run, b: Run) =>
  Number(b.state === "live") - Number(a.state === "live") || b.modified - a.modified || a.name.localeCompare(b.name);

function RunList({ runs, chosen }: { runs: Run[]; chosen: Run }) {
  return (
    <nav class="runs" aria-label="Runs">
      <h2>Runs</h2>
      <ul>
        {runs.map((run) => (
          <li key={run.id}>
            <a href={`#/training/${run.id}`} aria-current={run === chosen ? "true" : undefined}>
              <span class="run-name">{run.name}</span>
              <StateBadge run={run} small />
              <span class="run-about">
                {run.model}
                {run.best && <b>{loss(run.best.validation_loss)}</b>}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function RunPanel({ run }: { run: Run }) {
  const detail = useLoad(
    (signal) => api.run(run.id, signal),
    [run.id, run.state],
    run.state === "live" ? kLiveEvery : undefined,
  );
  const shown: RunDetail = detail.value ?? { ...run, progress: null };
  const lastStep = shown.last?.step ?? -1;
  const reports = useReports(run.id, lastStep);
  const samples = useSamples(run.id, lastStep);
  return (
    <article class="run">
      <header class="run-head">
        <div>
          <h2>{run.name}</h2>
          <StateBadge run={shown} />
          <span class="run-model">{shown.model}</span>
        </div>
        {shown.progress && <LiveButtons id={run.id} />}
      </header>
      {shown.failure && <p class="failure">{shown.failure}</p>}
      {detail.error && <Failure error={detail.error} retry={detail.reload} />}
      <Figures run={shown} />
      {reports.value ? <Curves reports={reports.value} /> : <Waiting loaded={reports} what="curves" />}
      <div class="pair">
        {samples.value ? <Samples samples={samples.value} /> : <Waiting loaded={samples} what="samples" />}
        {shown.progress && <SampleNow id={run.id} />}
      </div>
      {detail.value && <Configuration config={detail.value.config} />}
    </article>
  );
}

/** Stops and saves: what the training will do after its step. */
function LiveButtons({ id }: { id: string }) {
  const [said, setSaid] = useState("");
  const [error, setError] = useState<Error>();
  const ask = (request: () => Promise<unknown>, answer: string) => async () => {
    setError(undefined);
    try {
      await request();
      setSaid(answer);
    } catch (reason) {
      setError(reason as Error);
    }
  };
  return (
    <div class="actions">
      <span role="status">{said}</span>
      {error && <Failure error={error} />}
      <button onClick={ask(() => api.save(id), "Saved after this step.")}>Save</button>
      <button class="danger" onClick={ask(() => api.stop(id), "Stopping; it can be resumed.")}>
        Stop
      </button>
    </div>
  );
}

function Figures({ run }: { run: RunDetail }) {
  const { progress, last, best } = run;
  const total = progress?.total_steps ?? 0;
  const now = progress ?? last;
  const figures: [string, string, string?][] = [
    ["Step", count(now?.step), total > 0 ? `of ${count(total)}` : undefined],
    ["Epoch", now?.epoch == null ? kUnknown : now.epoch.toFixed(2)],
    ["Training loss", loss(progress?.train_loss || last?.train_loss)],
    ["Best validation", loss(best?.validation_loss), best ? `at step ${count(best.step)}` : undefined],
    ["Speed", short(now?.characters_per_second), "characters/s"],
    progress ? ["Time left", duration(progress.seconds_left)] : ["Time", duration(last?.seconds)],
  ].map(([name, value, more]) => [name!, value!, more] as [string, string, string?]);
  return (
    <>
      {progress && total > 0 && (
        <progress max={total} value={progress.step} aria-label={`Step ${progress.step} of ${total}`} />
      )}
      <dl class="figures">
        {figures.map(([name, value, more]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {value} {more && <small>{more}</small>}
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Curves({ reports }: { reports: Reports }) {
  const axisState = useAxis();
  const { axis } = axisState;
  const shared = { ...axisState.shared, group: useId() };
  const train = usePoints(reports, axis, "train_loss");
  const validation = usePoints(reports, axis, "validation_loss");
  const losses = useMemo<Curve[]>(
    () => [
      { label: "training", color: "--train", points: train },
      { label: "validation", color: "--validation", points: validation },
    ],
    [train, validation],
  );
  if (reports.step.length === 0) {
    return (
      <Empty title="No reports yet">
        <p>The first one comes soon after the training has begun.</p>
      </Empty>
    );
  }
  return (
    <section class="card" aria-label="Curves">
      <div class="card-head">
        <AxisChoice label="Curves by" state={axisState} />
      </div>
      <Chart title="Loss" curves={losses} height={300} formatY={loss} {...shared} />
      <div class="small-charts">
        {kSmallCharts.map(({ title, value, format }) => (
          <SmallChart key={value} {...{ title, value, format, reports, axis, shared }} />
        ))}
      </div>
    </section>
  );
}

const kSmallCharts: { title: string; value: ReportKey; format: (value: number) => string }[] = [
  { title: "Learning rate", value: "learning_rate", format: small },
  { title: "Gradient norm", value: "gradient_norm", format: small },
  { title: "Characters/s", value: "characters_per_second", format: short },
];

type Shared = AxisState["shared"] & { group: string };
type SmallChartProps = (typeof kSmallCharts)[number] & { reports: Reports; axis: Axis; shared: Shared };

function SmallChart({ title, value, format, reports, axis, shared }: SmallChartProps) {
  const points = usePoints(reports, axis, value);
  const curves = useMemo<Curve[]>(() => [{ label: "", color: "--other", points }], [points]);
  return <Chart title={title} curves={curves} height={130} formatY={format} {...shared} />;
}

const kPlayEvery = 700; // milliseconds

/** What it wrote at its evaluations, with a slider through them. */
function Samples({ samples }: { samples: Sample[] }) {
  const [chosen, setChosen] = useState<number | null>(null); // null: the newest, also when it grows
  const [playing, setPlaying] = useState(false);
  const last = samples.length - 1;
  const at = Math.min(chosen ?? last, last);
  useEffect(() => {
    if (!playing) return;
    const timer = setTimeout(() => {
      setChosen(at + 1 >= last ? null : at + 1);
      if (at + 1 >= last) setPlaying(false);
    }, kPlayEvery);
    return () => clearTimeout(timer);
  }, [playing, at, last]);
  const sample = samples[at];
  if (!sample) {
    return (
      <Empty title="No samples yet">
        <p>It writes one at each evaluation.</p>
      </Empty>
    );
  }
  const play = () => {
    if (!playing && at === last) setChosen(0);
    setPlaying(!playing);
  };
  return (
    <section class="card" aria-label="Samples">
      <div class="card-head">
        <h3>What it writes</h3>
        <button onClick={play} disabled={last === 0}>
          {playing ? "Pause" : "Play"}
        </button>
      </div>
      <Slider
        label="Training time"
        text={`step ${count(sample.step)}`}
        value={at}
        min={0}
        max={last}
        step={1}
        onInput={(index) => {
          setPlaying(false);
          setChosen(index === last ? null : index);
        }}
      />
      <blockquote class="prose">{sample.text}</blockquote>
    </section>
  );
}

const kLongestSample = 2000;

/** Lets the live run write with the weights of this moment. */
function SampleNow({ id }: { id: string }) {
  const [prompt, setPrompt] = useState("");
  const [length, setLength] = useState(200);
  const [temperature, setTemperature] = useState(0.8);
  const [sample, setSample] = useState<Sample>();
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const ask = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      const seed = Math.floor(Math.random() * 2 ** 31);
      setSample(await api.sample(id, { prompt, length, temperature, seed }));
    } catch (reason) {
      setError(reason as Error);
    }
    setBusy(false);
  };
  return (
    <form class="card" aria-label="Sample now" onSubmit={ask}>
      <div class="card-head">
        <h3>Right now</h3>
        <button class="primary" disabled={busy}>
          {busy ? "Writing …" : "Sample now"}
        </button>
      </div>
      <label class="field">
        Prompt
        <input value={prompt} placeholder="a new line" onInput={(event) => setPrompt(event.currentTarget.value)} />
      </label>
      <div class="pair">
        <Slider
          label="Temperature"
          text={temperature.toFixed(2)}
          {...{ value: temperature, min: 0.1, max: 2, step: 0.05, onInput: setTemperature }}
        />
        <Slider
          label="Length"
          text={count(length)}
          {...{ value: length, min: 50, max: kLongestSample, step: 50, onInput: setLength }}
        />
      </div>
      {error && <Failure error={error} />}
      <div role="status">
        {sample && (
          <>
            <p class="muted">step {count(sample.step)}</p>
            <blockquote class="prose">{sample.text}</blockquote>
          </>
        )}
      </div>
    </form>
  );
}

function Configuration({ config }: { config: RunDetail["config"] }) {
  return (
    <details class="card">
      <summary>Configuration</summary>
      <dl class="entries">
        {Object.entries(config).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
