// needs: gunicorn
import { describe, it } from 'node:test'
import { replayPipelined, replaySmuggling } from '../smuggling.ts'
import { fixture, startMonohull } from './monohull.ts'

const workers: { name: string; words: string[]; env: Record<string, string> }[] = [
  { name: 'Node', words: ['node', fixture('seen.cjs')], env: {} },
  {
    name: 'Gunicorn',
    words: ['gunicorn', '--chdir', fixture(''), '--bind', 'fd://3', 'seen:app'],
    env: { MONOHULL_KEEPALIVE: '0', PYTHONDONTWRITEBYTECODE: '1' },
  },
]

for (const { name: worker, words, env } of workers) {
  describe(`one request in, one seen, by ${worker}`, () => {
    for (const [behaviour, replay] of [
      ['whatever the request is framed like', replaySmuggling],
      ['two that share a connection are two, in their order', replayPipelined],
    ] as const)
      it(behaviour, async t => {
        const monohull = startMonohull(t, {
          args: ['run', ...words],
          env: { MONOHULL_HTTPS: 'off', MONOHULL_WORKERS: '1', ...env },
        })
        const { httpPort } = await monohull.serving()
        await replay(httpPort, async () => (await monohull.request({ path: '/seen' })).body)
      })
  })
}
