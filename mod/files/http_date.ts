/**
 * Dates of HTTP (RFC 9110 section 5.6.7): one form is sent, three are read. Whole seconds. Pure.
 */

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
const IMF = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/;
const RFC850 = /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-(\w{3})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
const ASCTIME = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (\w{3}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;

/** `Sun, 06 Nov 1994 08:49:37 GMT`. */
export function formatHttpDate(ms: number): string {
  return new Date(ms).toUTCString();
}

/** Milliseconds since the epoch; null: not a date. `now` decides which century two digits mean. */
export function parseHttpDate(text: string, now: number): number | null {
  const imf = IMF.exec(text);
  if (imf !== null) return at(imf[3]!, imf[2]!, imf[1]!, imf[4]!, imf[5]!, imf[6]!);
  const asctime = ASCTIME.exec(text);
  if (asctime !== null) {
    return at(asctime[6]!, asctime[1]!, asctime[2]!, asctime[3]!, asctime[4]!, asctime[5]!);
  }
  const old = RFC850.exec(text);
  if (old === null) return null;
  // What seems more than 50 years ahead is of the century before.
  const present = new Date(now).getUTCFullYear();
  let year = present - present % 100 + Number(old[3]);
  if (year > present + 50) year -= 100;
  return at(String(year), old[2]!, old[1]!, old[4]!, old[5]!, old[6]!);
}

function at(year: string, name: string, day: string, hour: string, minute: string, second: string) {
  const month = MONTHS.indexOf(name);
  if (month < 0 || month % 3 !== 0) return null;
  const [d, h, m, s] = [Number(day), Number(hour), Number(minute), Number(second)];
  // A leap second is written as 60.
  if (d < 1 || d > 31 || h > 23 || m > 59 || s > 60) return null;
  return Date.UTC(Number(year), month / 3, d, h, m, s);
}
