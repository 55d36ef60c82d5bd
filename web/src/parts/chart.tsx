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
  group?: string | undefined; // charts of a group share their cursor
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

/** The value that is nearest to an x; null: the last. */
function valueAt({ x, y }: Points, place: number | null): number | undefined {
  if (place === null) return y.at(-1);
  const i = lowerBound(x, place);
  return i > 0 && (i === x.length || place - x[i - 1]! < x[i]! - place) ? y[i - 1] : y[i];
}

/** What the picture shows, for those who do not see it. */
function spokenSummary({ title, curves, xLabel, formatX, formatY }: ChartProps): string {
  const parts = curves
    .filter(({ points }) => points.y.length > 0)
    .map(({ label, points }) => {
      const lowest = points.y.reduce((a, b) => Math.min(a, b));
      const last = `${formatY(points.y.at(-1)!)} at ${xLabel} ${formatX(points.x.at(-1)!)}`;
      return `${label && `${label}: `}from ${formatY(points.y[0]!)} to ${last}, lowest ${formatY(lowest)}`;
    });
  return `${title}. ${parts.join("; ") || "No values yet"}.`;
}

interface Look extends Pick<ChartProps, "height" | "logarithmic" | "group" | "curves" | "formatX"> {
  width: number;
  color: (name: string) => string; // of a custom property
}
interface Handlers {
  onCursor: (x: number | null) => void;
  onZoom: (zoom: Zoom) => void;
}

function optionsOf(
  { width, height, logarithmic, group, curves, formatX, color }: Look,
  handlers: Handlers,
): uPlot.Options {
  const axis: uPlot.Axis = { stroke: color("--muted"), font: kFont, ticks: { show: false }, gap: 6 };
  const onCursor = ({ cursor: { left = -1 }, posToVal }: uPlot) =>
    handlers.onCursor(left < 0 ? null : posToVal(left, "x"));
  const onSelect = (u: uPlot) => {
    const { left, width: selected } = u.select;
    if (selected < 4) return;
    handlers.onZoom([u.posToVal(left, "x"), u.posToVal(left + selected, "x")]);
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  };
  const onDoubleClick = () => {
    handlers.onZoom(null);
    return null;
  };
  return {
    width,
    height,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    scales: { x: { time: false, distr: logarithmic ? 3 : 1, range: (_, min, max) => [min, max] } },
    axes: [
      { ...axis, grid: { show: false }, size: 26, values: (_, xs) => xs.map((x) => (x === null ? "" : formatX(x))) },
      {
        ...axis,
        grid: { stroke: color("--grid"), width: 1 },
        size: 48,
        values: (_, ys, _axis, _space, distance) => ticks(ys, distance),
      },
    ],
    series: [
      {},
      ...curves.map((curve) => ({ stroke: color(curve.color), width: 1.75, spanGaps: true, points: { size: 5 } })),
    ],
    cursor: {
      ...(group ? { sync: { key: group } } : {}),
      y: false,
      drag: { x: true, y: false, setScale: false },
      points: { size: 7 },
      bind: { dblclick: () => onDoubleClick },
    },
    hooks: { setCursor: [onCursor], setSelect: [onSelect] },
  };
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

  const place = useRef<number | null>(null); // of the cursor, which outlives a picture
  const onCursor = (x: number | null) => {
    place.current = x;
    setCursor(x);
  };

  useEffect(() => {
    if (width === 0) return;
    const element = box.current!;
    const look = {
      width,
      height,
      logarithmic,
      group,
      curves,
      formatX,
      color: (name: string) => colorOf(element, name),
    };
    const handlers = { onCursor, onZoom: (next: Zoom) => latest.current(next) };
    const made = new uPlot(optionsOf(look, handlers), [[]], element);
    plot.current = made;
    return () => made.destroy();
  }, [lines, width, height, paint, group, logarithmic, formatX]);

  useEffect(() => {
    const u = plot.current;
    if (!u || width === 0) return;
    const [min, max] = zoom ?? wholeRange(curves);
    const tables = curves.map(({ points }): uPlot.AlignedData => {
      const { x, y } = downsample(points, [min, max], width, logarithmic ? Math.log : (value) => value);
      return [x, y];
    });
    const isNew = u.status === 0; // it begins without a cursor, and says so
    const kept = place.current;
    u.batch(() => {
      u.setData(tables.length > 0 ? uPlot.join(tables) : [[]], false);
      u.setScale("x", { min, max });
    });
    if (isNew && kept !== null && kept >= min && kept <= max) u.setCursor({ left: u.valToPos(kept, "x"), top: 1 });
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
        const value = valueAt(points, cursor);
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
