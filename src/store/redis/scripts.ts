/** One step of Redis: nothing else happens meanwhile. */
export interface Script {
  readonly text: string;
  /** By which Redis knows a script that it has seen. */
  readonly sha1: string;
}

function script(text: string): Script {
  return { text, sha1: new Bun.CryptoHasher("sha1").update(text).digest("hex") };
}

/**
 * The keys of presence, in the order of KEYS. All of them are in one slot of a Cluster, so that a script can keep them in
 * line: a hundred thousand entries are some 50 MB and a fraction of what one shard does.
 *
 * 1. channels: hash, device and connection id → entry
 * 2. persons: sorted set of `USER!v!CHANNEL`, or `i` for an invisible one
 * 3. nodes: sorted set of `NODE!CHANNEL`
 * 4. names: sorted set of `NAME\0USER`, the people shown
 * 5. leases: sorted set of NODE by the end of its lease
 * 6. version: hash; the epoch is another one after Redis was flushed, the count rises with each piece of news
 * 7. the channel on which the news are told, with the command of ARGV[1]
 *
 * The sorted sets have score 0 and are read by the order of their members. Ids are hexadecimal, a node's too; "!" comes
 * before all digits and '"' comes next.
 */
export function presenceKeys(prefix: string): readonly string[] {
  const names = ["channels", "persons", "nodes", "names", "leases", "version", "news"];
  return names.map((name) => `{${prefix}}:${name}`);
}

const common = `
local changes = {}
local function person(e, channel) return e.u .. (e.i and '!i!' or '!v!') .. channel end
local function drop(channel)
  local text = redis.call('HGET', KEYS[1], channel)
  if not text then return nil end
  local e = cjson.decode(text)
  redis.call('HDEL', KEYS[1], channel)
  redis.call('ZREM', KEYS[2], person(e, channel))
  redis.call('ZREM', KEYS[3], e.o .. '!' .. channel)
  return e
end
local function show(e)
  local member = e.n .. '\\0' .. e.u
  local visible = redis.call('ZLEXCOUNT', KEYS[2], '[' .. e.u .. '!v!', '(' .. e.u .. '!v"') > 0
  local changed = visible and redis.call('ZADD', KEYS[4], 0, member) or redis.call('ZREM', KEYS[4], member)
  if changed == 1 then changes[#changes + 1] = {e.u, e.n, visible} end
end
local function dropAll(members)
  local entries = {}
  for _, member in ipairs(members) do
    local e = drop(string.sub(member, -64))
    if e then entries[#entries + 1] = e else redis.call('ZREM', KEYS[3], member) end
  end
  for _, e in ipairs(entries) do show(e) end
end
local function epoch()
  local known = redis.call('HGET', KEYS[6], 'epoch')
  if known then return known end
  local time = redis.call('TIME')
  redis.call('HSET', KEYS[6], 'epoch', time[1] .. '.' .. time[2])
  return time[1] .. '.' .. time[2]
end
local function tell()
  if #changes == 0 then return end
  local count = redis.call('HINCRBY', KEYS[6], 'count', 1)
  redis.call(ARGV[1], KEYS[7], cjson.encode({epoch(), count, changes}))
end
`;

export const presenceScripts = {
  /** channel, entry */
  add: script(`${common}
local before = drop(ARGV[2])
local e = cjson.decode(ARGV[3])
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('ZADD', KEYS[2], 0, person(e, ARGV[2]))
redis.call('ZADD', KEYS[3], 0, e.o .. '!' .. ARGV[2])
if before and (before.u ~= e.u or before.n ~= e.n) then show(before) end
show(e)
tell()
return 1`),

  /** channel → 1 when it was there */
  remove: script(`${common}
local before = drop(ARGV[2])
if not before then return 0 end
show(before)
tell()
return 1`),

  /** user → entries */
  entries: script(`
local entries = {}
for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], '[' .. ARGV[2] .. '!', '(' .. ARGV[2] .. '"')) do
  local text = redis.call('HGET', KEYS[1], string.sub(member, -64))
  if text then entries[#entries + 1] = text end
end
return entries`),

  /** lowest member, limit → names */
  page: script(`return redis.call('ZRANGEBYLEX', KEYS[4], ARGV[2], '+', 'LIMIT', 0, ARGV[3])`),

  /** node, end of the lease → whether it held one, number of its channels */
  renew: script(`
local held = redis.call('ZSCORE', KEYS[5], ARGV[2])
redis.call('ZADD', KEYS[5], ARGV[3], ARGV[2])
return {held and 1 or 0, redis.call('ZLEXCOUNT', KEYS[3], '[' .. ARGV[2] .. '!', '(' .. ARGV[2] .. '"')}`),

  /** node → its channels, with the node in front */
  channels: script(`return redis.call('ZRANGEBYLEX', KEYS[3], '[' .. ARGV[2] .. '!', '(' .. ARGV[2] .. '"')`),

  /** node, limit → how many channels went; as many as the limit means there may be more */
  removeNode: script(`${common}
redis.call('ZREM', KEYS[5], ARGV[2])
local range = {'[' .. ARGV[2] .. '!', '(' .. ARGV[2] .. '"', 'LIMIT', 0, ARGV[3]}
local members = redis.call('ZRANGEBYLEX', KEYS[3], unpack(range))
dropAll(members)
tell()
return #members`),

  /** now, limit → how many channels went; as many as the limit means there may be more */
  sweep: script(`${common}
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', ARGV[2])
local left = tonumber(ARGV[3])
local from = '-'
while left > 0 do
  local first = redis.call('ZRANGEBYLEX', KEYS[3], from, '+', 'LIMIT', 0, 1)[1]
  if not first then break end
  local node = string.sub(first, 1, #first - 65)
  from = '(' .. node .. '"'
  if not redis.call('ZSCORE', KEYS[5], node) then
    local members = redis.call('ZRANGEBYLEX', KEYS[3], '[' .. node .. '!', from, 'LIMIT', 0, left)
    dropAll(members)
    left = left - #members
  end
end
tell()
return ARGV[3] - left`),

  nodes: script(`return redis.call('ZRANGE', KEYS[5], 0, -1)`),

  /** → seconds, microseconds */
  time: script(`return redis.call('TIME')`),

  /** → epoch (empty when nobody has written since a flush), count */
  version: script(`
return {redis.call('HGET', KEYS[6], 'epoch') or '', tonumber(redis.call('HGET', KEYS[6], 'count') or 0)}`),

  /** → epoch, count, names */
  snapshot: script(`${common}
local count = tonumber(redis.call('HGET', KEYS[6], 'count') or 0)
return {epoch(), count, redis.call('ZRANGE', KEYS[4], 0, -1)}`),
} as const;

const bucket = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local rate, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local tokens, at = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%S+)$')
tokens = math.min(burst, (tonumber(tokens) or burst) + math.max(0, now - (tonumber(at) or now)) * rate)
local function wait()
  local missing = cost - tokens
  return missing > 1e-6 and math.max(1, math.ceil(missing / rate - 1e-6)) or 0
end
local function spend()
  tokens = tokens - cost
  local full = string.format('%d', math.ceil((burst - tokens) / rate) + 1000)
  redis.call('SET', KEYS[1], string.format('%.6f %.3f', tokens, now), 'PX', full)
end
`;

/** KEYS: the bucket; ARGV: tokens a millisecond, burst, cost. The key goes when the bucket is full again. */
export const bucketScripts = {
  /** → milliseconds to wait */
  waitMs: script(`${bucket}
return wait()`),

  /** → milliseconds to wait; 0 when taken */
  take: script(`${bucket}
local ms = wait()
if ms == 0 then spend() end
return ms`),

  /** → tokens left, as text: an integer would have no parts */
  spend: script(`${bucket}
if cost > 0 then spend() end
return string.format('%.6f', tokens)`),
} as const;

/** KEYS: the count of what is tried. It goes when it is forgotten. */
export const attemptScripts = {
  /** free attempts, first delay, longest delay, forgotten after → milliseconds to wait; 0 when counted */
  begin: script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local free, first, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local count, at = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (%S+)$')
count, at = tonumber(count) or 0, math.min(now, tonumber(at) or now)
local delay = 0
if count > 0 and count >= free then delay = math.min(longest, first * 2 ^ math.min(count - free, 40)) end
local wait = math.ceil(at + delay - now)
if wait > 0 then return wait end
redis.call('SET', KEYS[1], string.format('%d %.3f', count + 1, now), 'PX', ARGV[4])
return 0`),

  clear: script(`return redis.call('DEL', KEYS[1])`),
} as const;
