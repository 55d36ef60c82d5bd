import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { downsample, lowerBound, type Points } from "../downsample";
import { short, small } from "../format";
import { colorOf, usePaint } from "./theme";

export interface Curve {
  label: string;
  color: string; // a custom property of the style sheet: "--train"
  points: Points;
}
/** The part of the x axis that is shown; null: all. */
export type Zoom = [number, number] | null;

interface ChartProps {
  title: string;
  curves: Curve[];
  height: number;
  logarithmic: boolean; // the x axis
  xLabel: string;
  formatX: (value: number) => string;
  formatY: (value: number) => string;
  zoom: Zoom;
  onZoom: (zoom: Zoom) => void;
  group?: string; // charts of a group share their cursor
}

const kFont = "11px Roboto, Arial, sans-serif";

function wholeRange(curves: Curve[]): [number, number] {
  let [min, max] = [Infinity, -Infinity];
  for (const { points } of curves) {
    min = Math.min(min, points.x[0] ?? Infinity);
    max = Math.max(max, points.x.at(-1) ?? -Infinity);
  }
  if (min > max) return [1, 2];
  return min === max ? [min * 0.9, max * 1.1 + 1e-3] : [min, max];
}

/** Numbers of an axis, all with as many digits as the distance between them has. */
function ticks(values: number[], distance: number): string[] {
  if (distance >= 1000) return values.map((value) => short(value));
  if (distance < 1e-4) return values.map((value) => small(value));
  const digits = distance >= 1 ? 0 : (String(distance).split(".")[1]?.length ?? 0);
  return values.map((value) => value.toFixed(digits));
}

function lastAt({ x, y }: Points, limit: number | null): number | undefined {
  return limit === null ? y.at(-1) : y[Math.max(0, lowerBound(x, limit + Number.EPSILON) - 1)];
}

/** What the picture shows, for those who do not see it. */
function spokenSummary({ title, curves, xLabel, formatX, formatY }: ChartProps): string {
  const parts = curves
    .filter(({ points }) => points.y.length > 0)
    .map(({ label, points }) => {
      const lowest = points.y.reduce((a, b) => Math.min(a, b));
      const last = `${formatY(points.y.at(-1)!)} at ${xLabel} ${formatX(points.x.at(-1)!)}`;
      return `${label}: from ${formatY(points.y[0]!)} to ${last}, lowest ${formatY(lowest)}`;
    });
  return `${title}. ${parts.join("; ") || "No values yet"}.`;
}

/** Curves over one x axis. Drag to zoom, double-click or press Escape to see all; arrow keys move the cursor. */
export function Chart(props: ChartProps) {
  const { title, curves, height, logarithmic, xLabel, formatX, formatY, zoom, onZoom, group } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [width, setWidth] = useState(0);
  const [cursor, setCursor] = useState<number | null>(null);
  const paint = usePaint();
  const lines = curves.map(({ label, color }) => `${label}|${color}`).join("\n");

  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);

  const latest = useRef(onZoom); // a picture lives longer than what it was made with
  latest.current = onZoom;

  useEffect(() => {
    if (width === 0) return;
    const color = (name: string) => colorOf(box.current!, name);
    const axis = { stroke: color("--muted"), font: kFont, ticks: { show: false }, gap: 6 };
    const grid = { stroke: color("--grid"), width: 1 };
    const made = new uPlot(
      {
        width,
        height,
        legend: { show: false },
        padding: [8, 18, 0, 0],
        scales: { x: { time: false, distr: logarithmic ? 3 : 1, range: (_, min, max) => [min, max] } },
        cursor: {
          ...(group ? { sync: { key: group } } : {}),
          y: false,
          drag: { x: true, y: false, setScale: false },
          points: { size: 7 },
          bind: { dblclick: () => () => (latest.current(null), null) },
        },
        axes: [
          { ...axis, grid: { show: false }, size: 26, values: (_, xs) => xs.map((x) => (x === null ? "" : formatX(x))) },
          { ...axis, grid, size: 48, values: (_, ys, _axis, _space, distance) => ticks(ys, distance) },
        ],
        series: [
          {},
          ...curves.map((curve) => ({
            label: curve.label,
            stroke: color(curve.color),
            width: 1.75,
            spanGaps: true,
            points: { size: 5 },
          })),
        ],
        hooks: {
          setCursor: [(u) => setCursor((u.cursor.left ?? -1) < 0 ? null : u.posToVal(u.cursor.left!, "x"))],
          setSelect: [
            (u) => {
              const { left, width: selected } = u.select;
              if (selected < 4) return;
              latest.current([u.posToVal(left, "x"), u.posToVal(left + selected, "x")]);
              u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            },
          ],
        },
      },
      [[]],
      box.current!,
    );
    plot.current = made;
    return () => made.destroy();
  }, [lines, width, height, paint, group, logarithmic, formatX]);

  useEffect(() => {
    if (!plot.current || width === 0) return;
    const [min, max] = zoom ?? wholeRange(curves);
    const tables = curves.map(({ points }): uPlot.AlignedData => {
      const { x, y } = downsample(points, [min, max], width, logarithmic ? Math.log : (value) => value);
      return [x, y];
    });
    plot.current.setData(tables.length > 0 ? uPlot.join(tables) : [[]], false);
    plot.current.setScale("x", { min, max });
  }, [curves, zoom, lines, width, height, paint, group, logarithmic, formatX]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") onZoom(null);
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const u = plot.current;
    if (!direction || !u) return;
    event.preventDefault();
    const stride = u.over.clientWidth / 40;
    const left = (u.cursor.left ?? -1) < 0 ? u.over.clientWidth : u.cursor.left!;
    u.setCursor({ left: Math.min(Math.max(left + direction * stride, 0), u.over.clientWidth), top: 1 });
  };

  const summary = useMemo(() => spokenSummary(props), [curves, xLabel]);
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        <Legend {...{ curves, cursor, formatY }} />
        <span class="chart-x">{cursor === null ? "" : `${xLabel} ${formatX(cursor)}`}</span>
      </figcaption>
      <div ref={box} class="chart-box" role="img" aria-label={summary} tabIndex={0} onKeyDown={onKeyDown} />
    </figure>
  );
}

function Legend({ curves, cursor, formatY }: Pick<ChartProps, "curves" | "formatY"> & { cursor: number | null }) {
  return (
    <span class="legend">
      {curves.map(({ label, color, points }) => {
        const value = lastAt(points, cursor);
        return (
          <span key={label} class="legend-entry">
            <i style={{ background: `var(${color})` }} />
            {label && <span>{label}</span>}
            {value !== undefined && <b>{formatY(value)}</b>}
          </span>
        );
      })}
    </span>
  );
}
