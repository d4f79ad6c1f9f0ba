import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runDirsOf } from '../../../supervisor/run/adapters/instance-search.ts'

describe('run/instance-search', () => {
  it('reads run directories from command lines of nginx masters, and from no others', () => {
    const lines = [
      'nginx: master process nginx -e stderr -c /srv/my run/nginx/current/nginx.conf\0\0',
      'nginx: master process nginx -e /run/m/nginx/start.log -c /run/m/nginx/current/nginx.conf',
      'nginx: worker process\0',
      'nginx: master process /usr/sbin/nginx -g daemon on;\0',
      'nginx: master process nginx -c nginx/current/nginx.conf\0',
      'node\0server.js\0',
      '',
    ]
    assert.deepEqual(runDirsOf(lines), ['/srv/my run', '/run/m'])
  })
})
