<?php

/** What a framework's front controller does: it finds the action for a method and path. */
class Router
{
    /** @var array<string, callable> */
    private array $actions = [];

    public function get(string $path, callable $action): void
    {
        $this->actions["GET $path"] = $action;
    }

    public function post(string $path, callable $action): void
    {
        $this->actions["POST $path"] = $action;
    }

    public function respond(string $method, string $path): void
    {
        $action = $this->actions["$method $path"] ?? null;
        if ($action === null) {
            http_response_code(404);
            echo 'not found';
            return;
        }
        echo $action();
    }
}
