import { formatDuration, parseDuration } from '../../platform/duration.ts';
import { DoorError } from '../door.ts';

/** How many milliseconds a unit of Go's durations has. */
const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** `1h30m` as ISO 8601. Source: Go's `time.ParseDuration`. @throws DoorError for another text. */
export function readGoDuration(name: string, text: unknown): string {
  const isRight = typeof text === 'string' && /^(\d{1,12}(\.\d{1,9})?(ns|us|µs|ms|s|m|h)){1,6}$/.test(text);
  if (!isRight) {
    const message = 'must be a duration such as 1h30m';
    throw new DoorError('INVALID_ARGUMENT', message, { problems: [{ path: [name], message }] });
  }
  const parts = text.matchAll(/([\d.]+)(\D+)/g);
  return formatDuration(
    [...parts].reduce((sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? 0), 0),
  );
}

/** The form in which Go writes durations: `1h0m0s`, `45s`. A lifespan has whole seconds. */
export function goDuration(iso: string): string {
  const seconds = Math.floor((parseDuration(iso) ?? 0) / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  const rest = `${seconds % 60}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}

/** A number of seconds as ISO 8601. */
export const ofSeconds = (seconds: number): string => formatDuration(seconds * 1000);
