// A build that crashes at boot, after as long as a boot takes.
require('express')
throw new Error('this build is broken')
