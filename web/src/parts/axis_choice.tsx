import { useState } from "preact/hooks";
import { kAxes, kAxisOptions, type Axis } from "../reports";
import type { Zoom } from "./chart";
import { Choice } from "./controls";

/** What curves are drawn over, and what part of it is shown. */
export function useAxis() {
  const [axis, setAxis] = useState<Axis>("step");
  const [logarithmic, setLogarithmic] = useState(false);
  const [zoom, onZoom] = useState<Zoom>(null);
  const { label: xLabel, format: formatX } = kAxes[axis];
  const choose = (next: Axis) => {
    setAxis(next);
    onZoom(null);
  };
  /** What the charts take. */
  const shared = { xLabel, formatX, logarithmic, zoom, onZoom };
  return { axis, choose, setLogarithmic, shared };
}
export type AxisState = ReturnType<typeof useAxis>;

export function AxisChoice({ label, state }: { label: string; state: AxisState }) {
  const { axis, choose, setLogarithmic, shared } = state;
  return (
    <div class="bar">
      <Choice label={label} value={axis} options={kAxisOptions} onChange={choose} />
      <label class="check">
        <input
          type="checkbox"
          checked={shared.logarithmic}
          onChange={(event) => setLogarithmic(event.currentTarget.checked)}
        />
        Logarithmic
      </label>
      {shared.zoom && <button onClick={() => shared.onZoom(null)}>Show all</button>}
    </div>
  );
}
