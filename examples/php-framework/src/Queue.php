<?php

/** Queue in a directory: a file for each task. A real app has one in its database or in Redis. */
class Queue
{
    private string $directory;

    public function __construct()
    {
        $this->directory = getenv('QUEUE_DIR') ?: __DIR__ . '/../var';
    }

    public function push(string $task): string
    {
        $name = uniqid('task-', true);
        file_put_contents("$this->directory/.$name", $task);
        rename("$this->directory/.$name", "$this->directory/$name");
        return $name;
    }

    /** Does the oldest task, and forgets it only then. */
    public function work(callable $do): bool
    {
        $tasks = glob("$this->directory/task-*");
        if ($tasks === []) {
            return false;
        }
        $do(file_get_contents($tasks[0]));
        unlink($tasks[0]);
        return true;
    }

    public function count(): int
    {
        return count(glob("$this->directory/task-*"));
    }
}
