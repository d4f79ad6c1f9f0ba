# Becomes a program. Sets up in the process itself what Node's spawn cannot: groups, limits, the environment's exact bytes, its own pid.
# Its stdin holds a length (32 bits, big-endian) and fields that end with NUL; see launch-fields.ts. It loads no module: it runs at
# each start of a worker.
use strict;
$^F = 255;    # inherited descriptors stay open

sub fail {
  my ($what, $code) = @_;
  print STDERR "monohull: cannot $what: $!\n";
  exit $code;
}

my $input = '';
until (length $input >= 4 && length $input >= 4 + unpack 'N', $input) {
  sysread STDIN, $input, 65536, length $input or exit 126;    # the supervisor is gone
}
open STDIN, '<', '/dev/null' or fail('open /dev/null', 126);
my @fields = split /\0/, substr($input, 4), -1;
pop @fields;
my ($uid, $gid, $groups, $enlarges, $umask, $prlimit, $files, $blocking, $pid, $words) = splice @fields, 0, 10;
my @command = splice @fields, 0, $words;

umask oct $umask;
my $set_size = 1031;                   # F_SETPIPE_SZ: a pipe with room is written to without waiting for its reader
my $get_size = 1032;
fcntl STDOUT, $set_size, 1 << 18 if (fcntl(STDOUT, $get_size, 0) // 1 << 18) < 1 << 18;
if ($enlarges) {
  my $stdout = '/proc/' . getppid() . '/fd/1';
  my $write_at_once = 04001;           # O_WRONLY | O_NONBLOCK
  my $out;
  fcntl $out, $set_size, 1 << 20 if -p $stdout && sysopen $out, $stdout, $write_at_once;
}
if ($files ne '') {
  my ($former, $nofile) = ("\0" x 16, 7);
  syscall($prlimit + 0, 0, $nofile, 0, $former) == 0 or fail('read the limit of open files', 126);
  my (undef, $hard) = unpack 'QQ', $former;
  my $limits = pack 'QQ', $files + 0 < $hard ? $files + 0 : $hard, $hard;
  syscall($prlimit + 0, 0, $nofile, $limits, 0) == 0 or fail('set the limit of open files', 126);
}
if ($blocking ne '') {
  my ($get, $set, $nonblock) = (3, 4, 04000);
  open my $socket, '+<&=', $blocking + 0 or fail("use descriptor $blocking", 126);
  my $flags = fcntl $socket, $get, 0 or fail("read the flags of descriptor $blocking", 126);
  fcntl $socket, $set, $flags & ~$nonblock or fail("make descriptor $blocking blocking", 126);
  $main::kept = $socket;
}
if ($uid ne '') {
  $( = $gid + 0;
  $) = "$gid $groups";
  ($<, $>) = ($uid + 0, $uid + 0);
  fail("become user $uid", 126) unless $< == $uid && $> == $uid && $( == $gid && $) == $gid;
}

%ENV = ();
for (@fields) {
  my ($name, $value) = split /=/, $_, 2;
  $ENV{$name} = $value;
}
$ENV{LISTEN_PID} = $$ if $pid;

{ exec { $command[0] } @command }
fail("run $command[0]", $! == 2 ? 127 : 126);
