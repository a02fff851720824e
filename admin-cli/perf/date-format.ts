/** The letters of Java's SimpleDateFormat that stand for numbers, with what they are in local time. */
const FIELDS: Readonly<Record<string, (date: Date) => number>> = {
  y: date => date.getFullYear(),
  M: date => date.getMonth() + 1,
  d: date => date.getDate(),
  H: date => date.getHours(),
  m: date => date.getMinutes(),
  s: date => date.getSeconds(),
  S: date => date.getMilliseconds(),
};

/**
 * Formats a time as a pattern of Java's SimpleDateFormat says, as far as it has numbers only (`yyyy-MM-dd HH:mm:ss:SSS`).
 * @throws Error naming a letter that is none of these
 */
export function formatDate(pattern: string, timeMs: number): string {
  const date = new Date(timeMs);
  return pattern.replace(/([A-Za-z])\1*/g, letters => {
    const field = FIELDS[letters[0]!];
    if (field === undefined)
      throw new Error(`Cannot format dates by '${pattern}': allowed are the letters ${Object.keys(FIELDS).join('')}`);
    const text = String(field(date)).padStart(letters.length, '0');
    return letters === 'yy' ? text.slice(-2) : text;
  });
}
