-- Sends the requests of a file in turn, each a line "METHOD<TAB>PATH<TAB>BODY" (no body for GET),
-- and prints what came of it as JSON. usage: wrk -s requests.lua URL -- FILE KEY
local requests, at = {}, 0

function init(args)
    local headers = { ["x-api-key"] = args[2], ["content-type"] = "application/json" }
    for line in io.lines(args[1]) do
        local method, path, body = line:match("^(%u+)\t([^\t]*)\t?(.*)$")
        local some = body ~= "" and body or nil
        requests[#requests + 1] = wrk.format(method, path, headers, some)
    end
    if #requests == 0 then
        error("no requests in " .. args[1])
    end
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency, _)
    local errors = summary.errors
    io.write(string.format(
        '\nRESULT {"requests":%d,"bytes":%d,"us":%d,"p50_us":%d,"p99_us":%d,"bad":%d}\n',
        summary.requests, summary.bytes, summary.duration, latency:percentile(50),
        latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
