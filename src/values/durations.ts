import { fractionText } from './timestamps.ts';

const ISO_8601 =
  /^([+-])?P(?:(\d{1,12})W)?(?:(\d{1,12})D)?(?:T(?:(\d{1,12})H)?(?:(\d{1,12})M)?(?:(\d{1,12})(?:\.(\d{1,9}))?S)?)?$/;

/** About 10,000 years. Source: protobuf, `google/protobuf/duration.proto`. */
const MAX_NANOSECONDS = 315_576_000_000n * 1_000_000_000n;

/**
 * The nanoseconds of an ISO 8601 duration in weeks, days, hours, minutes and seconds, with an optional sign before the
 * `P`. Null if the text is not a duration or is too long a time. Years and months have no fixed length, so they are
 * refused.
 */
export function durationNanoseconds(text: string): bigint | null {
  const match = ISO_8601.exec(text);
  if (match === null || /[PT]$/.test(text)) return null;
  const [weeks, days, hours, minutes, seconds] = match.slice(2).map((part) => BigInt(part ?? 0)) as Five;
  const total = (((weeks * 7n + days) * 24n + hours) * 60n + minutes) * 60n + seconds;
  const nanoseconds = total * 1_000_000_000n + BigInt((match[7] ?? '').padEnd(9, '0'));
  if (nanoseconds > MAX_NANOSECONDS) return null;
  return match[1] === '-' ? -nanoseconds : nanoseconds;
}

type Five = [bigint, bigint, bigint, bigint, bigint];

/** The same text for equal durations, in hours, minutes and seconds: `P1DT2H` and `PT26H` both become `PT26H`. */
export function normalDuration(text: string): string | null {
  const nanoseconds = durationNanoseconds(text);
  if (nanoseconds === null) return null;
  const [sign, length] = nanoseconds < 0n ? ['-', -nanoseconds] : ['', nanoseconds];
  const seconds = length / 1_000_000_000n;
  const fraction = fractionText((length % 1_000_000_000n).toString().padStart(9, '0'));
  const [hours, minutes, rest] = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n];
  const parts = [
    hours > 0n ? `${hours}H` : '',
    minutes > 0n ? `${minutes}M` : '',
    rest > 0n || fraction !== '' ? `${rest}${fraction}S` : '',
  ];
  return `${sign}PT${parts.join('') || '0S'}`;
}
