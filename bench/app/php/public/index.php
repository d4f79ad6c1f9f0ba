<?php
// hello world; a POST takes 20 ms, so that each roll meets some
header('Content-Type: text/plain');
if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $end = microtime(true) + 0.02;
    $length = strlen(file_get_contents('php://input'));
    // a signal ends a sleep early
    while (($left = $end - microtime(true)) > 0) usleep((int) (1e6 * $left) + 1);
    $body = "$length\n";
} else {
    $body = "hello\n";
}
// the client of the bench reads no chunks
header('Content-Length: ' . strlen($body));
echo $body;
