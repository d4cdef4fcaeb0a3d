"""Programs that benchmarks start beside ours."""
