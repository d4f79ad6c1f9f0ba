import * as z from 'zod'
import { docs, whole } from '../../config/values.ts'
import type { RedisUrl } from './url.ts'

const user = 'expected the name of a user'
const userName = z.string({ error: user }).regex(/^[^\s\0]+$/, user)
const secret = z.string({ error: 'expected text, in quotes' }).regex(/^[^\0]+$/, 'expected a password')

/** Keys of a section that leads to Redis: what its URL may say too. */
export const redisLogin = {
  database: whole(0, 65_535).optional().register(docs, { description: 'Number of the database in Redis; default: 0' }),
  username: userName.optional().register(docs, {
    description: "User of Redis's access control list; default: that of the URL, else `default`",
  }),
  password: secret.optional().register(docs, {
    description: 'Password for Redis. It is a secret, so prefer its variable with _FILE; default: that of the URL',
    secret: true,
  }),
  sentinel_username: userName.optional().register(docs, {
    description: 'User of the access control list of the Sentinels, which have their own; default: `default`',
  }),
  sentinel_password: secret.optional().register(docs, {
    description: 'Password for the Sentinels, which may differ from that for Redis; default: none',
    secret: true,
  }),
}

/** Login keys of a section. */
export type RedisLoginKeys = { [Key in keyof typeof redisLogin]?: z.output<(typeof redisLogin)[Key]> }

/** Login keys that contradict the URL of their section. `name`: what the URL leads to. */
export function describeLoginProblems(keys: RedisLoginKeys, url: RedisUrl, name: string) {
  const found = (key: keyof RedisLoginKeys, message: string, fix: string) => ({ key, message, fix })
  const twice = (['database', 'username', 'password'] as const).filter(
    key => keys[key] !== undefined && url[key] !== undefined,
  )
  const useless = (['sentinel_username', 'sentinel_password'] as const).filter(
    key => keys[key] !== undefined && url.at.kind !== 'sentinels',
  )
  return [
    ...twice.map(key => found(key, `is also in the URL of the ${name}`, 'remove one of the two')),
    ...useless.map(key =>
      found(
        key,
        `is only for Sentinels, and the URL of the ${name} names none`,
        'remove it, or write redis+sentinel://',
      ),
    ),
    ...(url.at.kind === 'cluster' && keys.database
      ? [found('database', 'is not 0, but clusters only have database 0', 'remove it, and set prefix')]
      : []),
  ]
}
