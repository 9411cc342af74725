-- `choose` and a number: so many keys without an expiry, by chance. `look` and names in hex digits: those keys. Each as a line of its name in hex digits, its type, and a checksum of what it holds: the same in whatever way and order a server keeps that.
local sizes = { string = "strlen", list = "llen", set = "scard", zset = "zcard", hash = "hlen", stream = "xlen" }
local function flat(value)
    if type(value) ~= "table" then
        value = tostring(value)
        return #value .. ":" .. value
    end
    local parts = {}
    for i, part in ipairs(value) do parts[i] = flat(part) end
    return "(" .. table.concat(parts) .. ")"
end
local function content(key, kind)
    if kind == "string" then return redis.call("get", key) end
    if kind == "list" then return redis.call("lrange", key, 0, -1) end
    if kind == "zset" then return redis.call("zrange", key, 0, -1, "withscores") end
    if kind == "stream" then return redis.call("xrange", key, "-", "+") end
    local parts = {}
    if kind == "set" then
        parts = redis.call("smembers", key)
    else
        local all = redis.call("hgetall", key)
        for i = 1, #all, 2 do parts[#parts + 1] = flat({ all[i], all[i + 1] }) end
    end
    table.sort(parts)
    return parts
end
local function expires(key, kind)
    if redis.call("pttl", key) ~= -1 then return true end
    if kind ~= "hash" then return false end
    local fields = redis.call("hkeys", key)
    local times = redis.pcall("httl", key, "FIELDS", #fields, unpack(fields))
    if times.err then return false end
    for _, time in ipairs(times) do if time ~= -1 then return true end end
    return false
end
local function line(key)
    local kind = redis.call("type", key).ok
    local size = sizes[kind]
    if not size or redis.call(size, key) > (kind == "string" and 1000000 or 1000) then return nil end
    if expires(key, kind) then return nil end
    local name = key:gsub(".", function(c) return string.format("%02x", c:byte()) end)
    return name .. " " .. kind .. " " .. redis.sha1hex(flat(content(key, kind)))
end
local lines = {}
if ARGV[1] == "choose" then
    local seen, count = {}, tonumber(ARGV[2])
    for _ = 1, 20 * count do
        local key = redis.call("randomkey")
        if key and not seen[key] and #key < 1000 and #lines < count then
            seen[key] = true
            lines[#lines + 1] = line(key)
        end
    end
else
    for i = 2, #ARGV do
        local name = ARGV[i]
        local key = name:gsub("..", function(pair) return string.char(tonumber(pair, 16)) end)
        lines[#lines + 1] = line(key) or (name .. " is another")
    end
end
return lines
