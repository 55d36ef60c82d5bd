import { useMemo, useRef, useState } from "preact/hooks";
import { api, type ReportKey, type Reports, type Sample } from "./api";
import type { Points } from "./downsample";
import { count, duration, short } from "./format";
import { useLoad } from "./load";

/** What a curve is drawn over. */
export const kAxes = {
  step: { label: "step", format: (x: number) => (x < 1e6 ? count(x) : short(x)) },
  characters: { label: "characters", format: (x: number) => short(x) },
  seconds: { label: "time", format: (x: number) => duration(x) },
} as const;
export type Axis = keyof typeof kAxes;
export const kAxisOptions = [
  ["step", "Steps"],
  ["characters", "Characters"],
  ["seconds", "Time"],
] as const satisfies [Axis, string][];

/** The reports at which both values are known, behind those that `points` has of the first `done` reports already. */
function addPoints(points: Points, reports: Reports, xKey: Axis, yKey: ReportKey, done: number): void {
  const [xs, ys] = [reports[xKey], reports[yKey]];
  for (let i = done; i < ys.length; ++i) {
    const [x, y] = [xs[i], ys[i]];
    if (x == null || y == null) continue;
    points.x.push(x);
    points.y.push(y);
  }
}

export function pointsOf(reports: Reports, xKey: Axis, yKey: ReportKey): Points {
  const points: Points = { x: [], y: [] };
  addPoints(points, reports, xKey, yKey, 0);
  return points;
}

/** The lists grow in place, since a long training has long ones; the object around them is a new one. */
function append(reports: Reports, more: Reports): Reports {
  for (const key of Object.keys(reports) as ReportKey[]) {
    for (const value of more[key]) reports[key].push(value);
  }
  return { ...reports };
}

/** Those behind what is known already. `lastStep`: of the run now; a resumed run may stand before what it once was. */
export async function followReports(
  id: string,
  known: Reports | undefined,
  lastStep: number,
  signal?: AbortSignal,
): Promise<Reports> {
  const after = known?.step.at(-1) ?? -1;
  if (!known || after > lastStep) return api.reports(id, -1, signal);
  if (after === lastStep) return known;
  return append(known, await api.reports(id, after, signal));
}

/** The reports of a run, as they come. */
export function useReports(id: string, lastStep: number) {
  const [known] = useState<{ reports?: Reports }>({});
  return useLoad(
    async (signal) => (known.reports = await followReports(id, known.reports, lastStep, signal)),
    [id, lastStep],
  );
}

/** Its samples, as they come. */
export function useSamples(id: string, lastStep: number) {
  const [known] = useState<{ samples: Sample[] }>({ samples: [] });
  return useLoad(
    async (signal) => {
      const after = known.samples.at(-1)?.step ?? -1;
      const anew = after > lastStep;
      const more = await api.samples(id, anew ? -1 : after, signal);
      return (known.samples = anew ? more : known.samples.concat(more));
    },
    [id, lastStep],
  );
}

/** The points of a curve, which grow with the reports. */
export function usePoints(reports: Reports, xKey: Axis, yKey: ReportKey): Points {
  const made = useRef<{ list?: unknown; xKey?: Axis; done: number; points: Points }>({
    done: 0,
    points: { x: [], y: [] },
  });
  return useMemo(() => {
    const grown = made.current.list === reports[yKey] && made.current.xKey === xKey;
    const { done, points } = grown ? made.current : { done: 0, points: { x: [], y: [] } };
    addPoints(points, reports, xKey, yKey, done);
    made.current = { list: reports[yKey], xKey, done: reports.step.length, points };
    return { ...points };
  }, [reports, xKey, yKey]);
}
