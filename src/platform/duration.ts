/**
 * ISO 8601 durations of fixed length: weeks, days, hours, minutes and seconds (with a fraction). Years and months have
 * no fixed length and are refused.
 */

const form = /^(-)?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d{1,9}))?S)?)?$/;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The duration in milliseconds; null if the text is not such a duration. */
export function parseDuration(text: string): number | null {
  const match = form.exec(text);
  if (!match || /[PT]$/.test(text)) return null;
  const [, sign, weeks = '0', days = '0', hours = '0', minutes = '0', seconds = '0', fraction = ''] = match;
  const total =
    (Number(weeks) * 7 + Number(days)) * DAY +
    Number(hours) * HOUR +
    Number(minutes) * MINUTE +
    Number(seconds) * SECOND +
    Number(fraction.slice(0, 3).padEnd(3, '0'));
  if (!Number.isSafeInteger(total)) return null;
  return sign ? -total : total;
}

/** The shortest form in hours, minutes and seconds: `PT1H30M`, `PT0.250S`, `PT0S`. */
export function formatDuration(milliseconds: number): string {
  const whole = Math.abs(Math.round(milliseconds));
  const hours = Math.floor(whole / HOUR);
  const minutes = Math.floor((whole % HOUR) / MINUTE);
  const seconds = Math.floor((whole % MINUTE) / SECOND);
  const rest = whole % SECOND;
  const secondsText = rest ? `${seconds}.${String(rest).padStart(3, '0')}S` : seconds ? `${seconds}S` : '';
  const body = `${hours ? `${hours}H` : ''}${minutes ? `${minutes}M` : ''}${secondsText}`;
  return `${milliseconds < 0 ? '-' : ''}PT${body || '0S'}`;
}
