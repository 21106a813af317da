// Waiting for a word in memory that processes share to change. std::atomic::wait is for threads of one process alone.
// Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace weft::model {

// Returns true when woken or when the word is no longer `seen`, false when `limit` has passed. May wake for nothing.
bool futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t seen, std::chrono::milliseconds limit);
void futex_wake_all(const std::atomic<std::uint32_t>& word);
// In a loop that reads a word again and again.
void pause_processor();

}  // namespace weft::model
