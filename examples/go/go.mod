module example.com/monohull-go

go 1.19
