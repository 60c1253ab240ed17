-- What wrk sends (GET, or POST of the given number of bytes; then what it accepts, if anything) and its result as one line of JSON.
function init(args)
  local bytes = tonumber(args[1] or "0")
  if bytes > 0 then
    wrk.method = "POST"
    wrk.body = string.rep("x", bytes)
  end
  if args[2] then
    wrk.headers["Accept-Encoding"] = args[2]
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"microseconds":%d,"errors":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
