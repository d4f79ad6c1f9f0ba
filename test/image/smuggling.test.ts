import { describe, it, type TestContext } from 'node:test'
import { replayPipelined, replaySmuggling } from '../smuggling.ts'
import { ask } from './ask.ts'
import { buildExample, image, repository, startContainer } from './docker.ts'

const timeout = 400_000
const fixtures = '/fixtures'

const workers: { name: string; imageOf: (t: TestContext) => Promise<string>; words: string[] }[] = [
  { name: 'Node', imageOf: async () => image, words: ['node', `${fixtures}/seen.cjs`] },
  {
    name: 'Gunicorn',
    imageOf: t => buildExample(t, 'flask-gunicorn'),
    words: ['gunicorn', '--chdir', fixtures, '--bind', 'fd://3', 'seen:app'],
  },
]

// the nginx of a host (test/process) is another
describe('one request in, one seen, behind the nginx of the image', () => {
  for (const { name, imageOf, words } of workers)
    it(`by ${name}`, { timeout }, async t => {
      const variables = ['HTTPS=off', 'WORKERS=1', 'KEEPALIVE=0'].flatMap(setting => ['--env', `MONOHULL_${setting}`])
      const container = await startContainer(t, {
        image: await imageOf(t),
        args: [...variables, '--volume', `${repository}test/fixtures/apps:${fixtures}:ro`],
        command: ['monohull', 'run', ...words],
      })
      const origin = await container.http()
      const forget = async () => (await ask(`${origin}/seen`)).body
      await forget()
      const port = Number(new URL(origin).port)
      await replaySmuggling(port, forget)
      await replayPipelined(port, forget)
    })
})
