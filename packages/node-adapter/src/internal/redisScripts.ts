/**
 * The scripts that change records. Redis runs a script without interruption, but does not undo its writes after an error. So
 * each script compares first, then adds the record to its sets, and writes the record last.
 *
 * A record is a hash of `version`, `record` and `group`, a state or subject by which it is found. A version is the server's
 * time in microseconds, or one more than the highest so far, so that a version is never reused after a removal or a crash
 * that lost the record.
 */
import * as Redis from "effect/persistence/Redis"

/** A sorted set that contains a record, and its score there. */
export interface Membership {
  readonly set: string
  readonly score: number
}

export interface Write {
  readonly key: string
  readonly floor: string
  readonly expected: number | undefined
  readonly record: string
  readonly group: string
  /** The record's name in the sets. */
  readonly member: string
  readonly join: ReadonlyArray<Membership>
  readonly leave: ReadonlyArray<string>
  /** Milliseconds after which it expires. */
  readonly lifetime: number | undefined
}

// Lua prints only 14 digits by default, so numbers are formatted explicitly.
const writeLua = `
local found = redis.call('HGET', KEYS[1], 'version')
if (found or '') ~= ARGV[1] then return 0 end
if ARGV[1] == '' and redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local time = redis.call('TIME')
local floor = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
local version = math.max(time[1] * 1000000 + time[2], floor + 1, (tonumber(found or '0') or 0) + 1)
if version > 9007199254740991 then return redis.error_reply('ERR version') end
version = string.format('%.0f', version)
local lifetime = tonumber(ARGV[5])
local joins = tonumber(ARGV[6])
for index = 3, 2 + joins do
  redis.call('ZADD', KEYS[index], ARGV[4 + index], ARGV[4])
  if lifetime and redis.call('PTTL', KEYS[index]) < lifetime then redis.call('PEXPIRE', KEYS[index], ARGV[5]) end
end
for index = 3 + joins, #KEYS do redis.call('ZREM', KEYS[index], ARGV[4]) end
redis.call('SET', KEYS[2], version)
redis.call('HSET', KEYS[1], 'version', version, 'record', ARGV[2], 'group', ARGV[3])
if lifetime then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
return 1
`

const count = (values: ReadonlyArray<unknown>) => String(values.length)

/** Writes a record if it has the expected version. Returns 1 if it was written. */
export const write = Redis.script(
  ({ expected, floor, group, join, key, leave, lifetime, member, record }: Write) => [
    key,
    floor,
    ...join.map(({ set }) => set),
    ...leave,
    expected === undefined ? "" : String(expected),
    record,
    group,
    member,
    lifetime === undefined ? "" : String(lifetime),
    count(join),
    ...join.map(({ score }) => String(score))
  ],
  { lua: writeLua, numberOfKeys: ({ join, leave }) => 2 + join.length + leave.length }
).withReturnType<unknown>()

export interface Removal {
  readonly key: string
  readonly floor: string
  readonly expected: number
  readonly member: string
  readonly leave: ReadonlyArray<string>
}

const removeLua = `
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end
local floor = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
if floor < tonumber(ARGV[1]) then redis.call('SET', KEYS[2], ARGV[1]) end
redis.call('DEL', KEYS[1])
for index = 3, #KEYS do redis.call('ZREM', KEYS[index], ARGV[2]) end
return 1
`

/** Removes a record if it has the expected version. Returns 1 if it was removed. */
export const remove = Redis.script(
  ({ expected, floor, key, leave, member }: Removal) => [key, floor, ...leave, String(expected), member],
  { lua: removeLua, numberOfKeys: ({ leave }) => 2 + leave.length }
).withReturnType<unknown>()

export interface Pruning {
  readonly set: string
  readonly group: string
  readonly gone: ReadonlyArray<{ readonly key: string; readonly member: string }>
}

const pruneLua = `
for index = 2, #KEYS do
  if redis.call('HGET', KEYS[index], 'group') ~= ARGV[1] then redis.call('ZREM', KEYS[1], ARGV[index]) end
end
return 1
`

/** Removes members from a set if their records are gone or in another group. */
export const prune = Redis.script(
  ({ gone, group, set }: Pruning) => [set, ...gone.map(({ key }) => key), group, ...gone.map(({ member }) => member)],
  { lua: pruneLua, numberOfKeys: ({ gone }) => 1 + gone.length }
).withReturnType<unknown>()
