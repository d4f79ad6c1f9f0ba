import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runDirsOf } from '../../../supervisor/run/adapters/instance-search.ts'

describe('run/instance-search', () => {
  it('reads run directories from the admin sockets that listen, and from no others', () => {
    const sockets = [
      'Num       RefCount Protocol Flags    Type St Inode Path',
      '00000000a: 00000002 00000000 00010000 0001 01 8473793 /srv/my run/admin.sock',
      '00000000b: 00000002 00000000 00010000 0001 01  84737 /run/m/admin.sock',
      '00000000c: 00000003 00000000 00000000 0001 03 8495042 /run/connected/admin.sock',
      '00000000d: 00000002 00000000 00010000 0001 01 8473793 /run/m/health.sock',
      '00000000e: 00000002 00000000 00010000 0001 01 8473793 @/abstract/admin.sock',
      '00000000f: 00000002 00000000 00010000 0001 01 8473793 relative/admin.sock',
      '00000000g: 00000003 00000000 00000000 0001 03 8495042',
      '',
    ].join('\n')
    assert.deepEqual(runDirsOf(sockets), ['/srv/my run', '/run/m'])
  })
})
