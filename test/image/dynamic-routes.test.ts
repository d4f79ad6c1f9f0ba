import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ask } from './ask.ts'
import { startContainer } from './docker.ts'

const host = 'shop.customer.test'

describe('dynamic_routes in the image', { concurrency: 2 }, () => {
  for (const [who, args] of [
    ['root', []],
    [
      'a user without capabilities, on a read-only file system',
      [
        ...['--user', '12345', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--read-only'],
        ...['--tmpfs', '/run', '--tmpfs', '/var/lib/monohull', '--tmpfs', '/tmp'],
      ],
    ],
  ] as const) {
    it(`come and go by docker exec, started as ${who}`, async t => {
      const env = ['--env', 'MONOHULL_DYNAMIC_ROUTES_STORE=file']
      const container = await startContainer(t, { args: [...args, ...env] })
      const url = await container.https()
      const statusOf = async () => (await ask(url, { headers: { host } })).status
      const routes = async (...words: string[]) => {
        const { code, stdout, stderr } = await container.exec('monohull', 'routes', ...words)
        return { code, text: stdout + stderr }
      }
      assert.equal(await statusOf(), 403)
      const set = await routes('set', host, 'app')
      assert.deepEqual([set.code, await statusOf()], [0, 200], set.text)
      assert.match((await routes('list')).text, /shop\.customer\.test +app/)
      const wrong = await routes('set', host, 'nobody')
      assert.equal(wrong.code, 1)
      assert.match(wrong.text, /nobody is not an app or upstream.*\n.*fix: name one of app/)
      const removed = await routes('remove', host)
      assert.deepEqual([removed.code, await statusOf()], [0, 403], removed.text)
    })
  }
})
