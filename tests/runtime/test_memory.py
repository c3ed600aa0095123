from marian_distill.runtime.memory import peak_memory_mb


def test_the_peak_holds_what_was_freed_again():
    before = peak_memory_mb()
    block = bytearray(200 * 2**20)  # zeroed, so that it is resident
    block[:: 2**12] = b"x" * len(block[:: 2**12])
    del block
    assert peak_memory_mb() >= max(before, 200)
