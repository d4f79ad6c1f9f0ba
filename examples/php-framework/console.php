<?php

require __DIR__ . '/src/Queue.php';

$queue = new Queue();
if ($argv[1] === 'schedule') {
    echo "{$queue->count()} tasks wait\n";
    exit;
}

// the task at hand is finished before the process ends
$isOver = false;
pcntl_async_signals(true);
pcntl_signal(SIGTERM, function () use (&$isOver) {
    $isOver = true;
});
while (!$isOver) {
    if (!$queue->work(fn ($task) => print("sent $task\n"))) {
        usleep(200_000);
    }
}
