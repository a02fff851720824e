const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})(Z|[+-]\d\d(?::?\d\d)?)?$/;

/**
 * Parses `2026-11-21T05:30:00.000`, which is UTC unless `Z`, `+02`, `+0200` or `+02:00` follows (Kafka:
 * `Utils.getDateTime`).
 * @returns milliseconds since 1970
 * @throws Error naming the text and the form, also for a day or an hour that does not exist
 */
export function parseDateTime(text: string): number {
  const match = DATE_TIME.exec(text);
  const wrong = (why: string) =>
    new Error(
      `'${text}' is no date and time: ${why}; the form is YYYY-MM-DDTHH:mm:ss.SSS, then Z or ±hh:mm if not UTC`,
    );
  if (match === null) throw wrong('it has another form');
  const local = text.slice(0, 'YYYY-MM-DDTHH:mm:ss.SSS'.length);
  const ms = Date.parse(`${local}Z`);
  // JavaScript takes February 30th for March 2nd.
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== `${local}Z`) throw wrong('there is no such day or time');
  const zone = /^([+-])(\d\d):?(\d\d)?$/.exec(match[8] ?? 'Z');
  if (zone === null) return ms;
  const [, sign, hours, minutes = '00'] = zone;
  if (Number(hours) > 23 || Number(minutes) > 59) throw wrong('there is no such time zone');
  return ms - (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1);
}

const NUMBER = '([+-]?\\d+)';
const DURATION = new RegExp(
  `^([+-]?)P(?:${NUMBER}D)?(?:T(?=[+-]?\\d)(?:${NUMBER}H)?(?:${NUMBER}M)?(?:${NUMBER}(?:[.,](\\d{0,9}))?S)?)?$`,
  'i',
);
const UNITS_MS = [86_400_000, 3_600_000, 60_000, 1_000];

/**
 * Parses `P1DT2H3M4.5S`, days to seconds, each of which may be missing or negative (Java: `Duration.parse`).
 * @returns milliseconds
 * @throws Error naming the text and the form
 */
export function parseDuration(text: string): number {
  const match = DURATION.exec(text);
  const [, sign = '', ...parts] = (match ?? []) as readonly (string | undefined)[];
  const numbers = parts.slice(0, UNITS_MS.length);
  if (match === null || numbers.every(part => part === undefined)) {
    throw new Error(`'${text}' is no duration: the form is PnDTnHnMnS, as in P7D or PT1H30M`);
  }
  const whole = numbers.reduce((ms, part, unit) => ms + Number(part ?? 0) * UNITS_MS[unit]!, 0);
  const fraction = Number(`0.${parts[UNITS_MS.length] ?? ''}0`) * 1000;
  const ms = whole + (numbers[3]?.startsWith('-') === true ? -fraction : fraction);
  return Math.trunc(sign === '-' ? -ms : ms);
}
