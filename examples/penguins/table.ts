import type { NodeEvent } from './follow.ts';

interface NodeRow {
  phase: string;
  /** The number of the attempt, from 0. */
  attempt: number;
  startedAt: number | null;
  endedAt: number | null;
}

const ended = new Set(['SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT', 'SKIPPED', 'RECOVERED']);
const REDRAW_MS = 100;

/** The terminal, or any other target for the lines. */
type Screen = Pick<NodeJS.WriteStream, 'write'> & { readonly isTTY?: boolean };

/**
 * The nodes of an execution as they change: on a terminal, a table that is drawn again for each change; elsewhere, a
 * line for each node or attempt that ends.
 */
export class NodeTable {
  readonly #screen: Screen;
  readonly #rows: Map<string, NodeRow>;
  readonly #width: number;
  readonly #redraw: NodeJS.Timeout | null;
  #isDrawn = false;

  constructor(nodeIds: readonly string[], screen: Screen) {
    this.#screen = screen;
    this.#width = Math.max(...nodeIds.map((id) => id.length));
    this.#rows = new Map(
      nodeIds.map((id) => [id, { phase: '', attempt: 0, startedAt: null, endedAt: null }]),
    );
    this.#redraw = screen.isTTY ? setInterval(() => this.#draw(), REDRAW_MS) : null;
  }

  apply(event: NodeEvent): void {
    const row = this.#rows.get(event.nodeId);
    if (!row) return;
    const at = Date.parse(event.occurredAt);
    if (event.attempt !== undefined) row.attempt = event.attempt;
    if (event.phase) row.phase = event.phase;
    if (event.phase === 'RUNNING') row.startedAt ??= at;
    if (event.phase && ended.has(event.phase)) row.endedAt = at;
    if (this.#screen.isTTY) return;
    const isFailedAttempt = event.taskPhase === 'RETRYABLE_FAILED' || event.taskPhase === 'FAILED';
    const shown =
      event.phase && ended.has(event.phase) ? event.phase : isFailedAttempt ? 'attempt failed' : null;
    if (shown) this.#screen.write(`${this.#line(event.nodeId, row, shown)}\n`);
  }

  /** Draws it for the last time. */
  end(): void {
    if (!this.#redraw) return;
    clearInterval(this.#redraw);
    this.#draw();
  }

  #draw(): void {
    const lines = [...this.#rows].map(([id, row]) => this.#line(id, row, row.phase || '·'));
    const up = this.#isDrawn ? `\x1b[${lines.length}A` : '';
    this.#screen.write(up + lines.map((line) => `\x1b[2K${line}\n`).join(''));
    this.#isDrawn = true;
  }

  #line(id: string, { phase, attempt, startedAt, endedAt }: NodeRow, shown: string): string {
    const attemptShown = phase ? `attempt ${attempt + 1}` : '';
    const seconds =
      startedAt === null ? '' : `${(((endedAt ?? Date.now()) - startedAt) / 1000).toFixed(1)} s`;
    return `  ${id.padEnd(this.#width)}  ${shown.padEnd(14)}  ${attemptShown.padEnd(10)}  ${seconds.padStart(7)}`.trimEnd();
  }
}
