import { useMemo, useState } from "preact/hooks";
import { api, type ReportKey, type Reports } from "./api";
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

/** The reports at which both values are known. */
export function pointsOf(reports: Reports, xKey: Axis, yKey: ReportKey): Points {
  const points: Points = { x: [], y: [] };
  const [xs, ys] = [reports[xKey], reports[yKey]];
  for (let i = 0; i < ys.length; ++i) {
    const [x, y] = [xs[i], ys[i]];
    if (x == null || y == null) continue;
    points.x.push(x);
    points.y.push(y);
  }
  return points;
}

function append(reports: Reports, more: Reports): Reports {
  if (more.step.length === 0) return reports;
  const keys = Object.keys(reports) as ReportKey[];
  return Object.fromEntries(keys.map((key) => [key, reports[key].concat(more[key])])) as Reports;
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

export const usePoints = (reports: Reports | undefined, x: Axis, y: ReportKey) =>
  useMemo(() => (reports ? pointsOf(reports, x, y) : { x: [], y: [] }), [reports, x, y]);
