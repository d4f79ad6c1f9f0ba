// needs: gunicorn libdancer2-perl puma python3-django python3-fastapi python3-flask python3-flaskext.wtf python3-websockets ruby-sinatra starman uvicorn webhook
import { describe, it } from 'node:test'
import { debianPrograms } from './programs/debian.ts'
import { nodePrograms } from './programs/node.ts'
import { liveWith } from './site.ts'

describe('programs that nobody here wrote', () => {
  for (const program of [...nodePrograms, ...debianPrograms])
    it(program.name, { timeout: 600_000 }, t => liveWith(t, program))
})
