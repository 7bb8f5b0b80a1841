module healer.invalid/programs

go 1.23
