import type { Run } from "../api";

/** How a run stands, by colour and by word. */
export function StateBadge({ run, small }: { run: Pick<Run, "state">; small?: boolean }) {
  return (
    <span class={`state ${run.state}`}>
      <i aria-hidden="true" />
      <span class={small ? "small" : ""}>{run.state}</span>
    </span>
  );
}
