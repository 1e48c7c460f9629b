// Reads Retry-After: delay-seconds or HTTP-date (RFC 9110 section 10.2.3), and nothing else.

const LONGEST_MS = 3_600_000;
const FIXDATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const RFC850 = /^[A-Z][a-z]+, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;

// Milliseconds to wait from now on, or 0 where the header is absent, malformed, past or sent twice.
// Nobody is believed for more than an hour.
export function retryAfterMs(value, wallNow) {
  if (typeof value !== 'string') return 0;
  const text = value.trim();
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, LONGEST_MS);
  // Date.parse alone would take "-5" and "1.5" for dates.
  const isDate = FIXDATE.test(text) || RFC850.test(text) || ASCTIME.test(text);
  const at = isDate ? Date.parse(ASCTIME.test(text) ? `${text} GMT` : text) : NaN;
  return at > wallNow ? Math.min(at - wallNow, LONGEST_MS) : 0;
}
