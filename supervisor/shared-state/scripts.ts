/** Lua that Redis runs, each script as one step. The keys of a state have one hash tag, so that all of them are on one server of a cluster. */

/**
 * Next number: Redis's time in microseconds, or one more than the last number if that is higher. So it also grows after Redis has lost its data, and
 * after a failover to a server that lacks the last numbers.
 */
const nextNumber = `
local function next_number(key)
  local time = redis.call('TIME')
  local last = tonumber(redis.call('GET', key) or '0') or 0
  local number = string.format('%.0f', math.max(time[1] * 1000000 + time[2], last + 1))
  redis.call('SET', key, number)
  return number
end`

const isAllowed = `
local function find_obstacle(record, lock, version, value, token)
  if value ~= '' and redis.call('GET', lock) ~= value then return 'lost' end
  local known = redis.call('HMGET', record, 'version', 'token')
  if value ~= '' and known[2] and tonumber(known[2]) > tonumber(token) then return 'lost' end
  if version ~= '' and (known[1] or '0') ~= version then return 'conflict' end
end`

/** Keys: the lock, the counter. Arguments: the holder, the lease in ms. Reply: the token, or nothing if the lock is held. */
export const acquireScript = `${nextNumber}
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local token = next_number(KEYS[2])
redis.call('SET', KEYS[1], token .. ' ' .. ARGV[1], 'PX', ARGV[2])
return token`

/** Key: the lock. Arguments: its value, the lease in ms. Reply: 1, or 0 if it is no longer held. */
export const renewScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`

/** Key: the lock. Argument: its value. */
export const releaseScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`

/**
 * Keys: the record, the lock, the counter. Arguments: the expected version, the lock's value and its token (empty: none), the value, its end in ms (empty:
 * none). Reply: the version, or the obstacle.
 */
export const writeScript = `${nextNumber}${isAllowed}
local obstacle = find_obstacle(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if obstacle then return obstacle end
local version = next_number(KEYS[3])
redis.call('HSET', KEYS[1], 'value', ARGV[4], 'version', version)
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'token', ARGV[3]) end
if ARGV[5] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[5]) else redis.call('PERSIST', KEYS[1]) end
return version`

/** Keys and arguments as the first of a write. Reply: 0, or the obstacle. */
export const removeScript = `${isAllowed}
local obstacle = find_obstacle(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if obstacle then return obstacle end
redis.call('DEL', KEYS[1])
return '0'`

const now = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`

/** Reply: the time in ms. */
export const timeScript = `${now}
return string.format('%d', now)`

/** Keys: times and descriptions of members. Arguments: the member, its description, the time in ms after which a member is forgotten. */
export const beatScript = `${now}
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])) do
  redis.call('ZREM', KEYS[1], gone)
  redis.call('HDEL', KEYS[2], gone)
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return redis.call('PEXPIRE', KEYS[2], ARGV[3])`

/** Keys: the same. Argument: the member. */
export const leaveScript = `
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('HDEL', KEYS[2], ARGV[1])`

/** Keys: the same. Reply: members, each with its age in ms and its description. */
export const membersScript = `${now}
local reply = {}
local members = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for at = 1, #members, 2 do
  reply[#reply + 1] = members[at]
  reply[#reply + 1] = string.format('%d', now - members[at + 1])
  reply[#reply + 1] = redis.call('HGET', KEYS[2], members[at]) or '{}'
end
return reply`
