import * as z from 'zod'
import { docs, whole } from '../../config/values.ts'

/** Keys of a section that leads to Redis: what its URL may say too. */
export const redisLogin = {
  database: whole(0, 65_535).optional().register(docs, { description: 'Number of the database in Redis; default: 0' }),
  username: z
    .string({ error: 'expected the name of a user' })
    .regex(/^[^\s\0]+$/, 'expected the name of a user')
    .optional()
    .register(docs, { description: "User of Redis's access control list; default: that of the URL, else `default`" }),
  password: z
    .string({ error: 'expected text, in quotes' })
    .regex(/^[^\0]+$/, 'expected a password')
    .optional()
    .register(docs, {
      description: 'Password for Redis. It is a secret, so prefer its variable with _FILE; default: that of the URL',
      secret: true,
    }),
}
