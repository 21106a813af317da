-- Someone at a keyboard: what they press next, and when. Closed loop: after every key they look at what stands in the
-- buffer, so that indentation the editor brings, suggestions taken and slips of the finger all lead to the text wanted.
-- Pauses are yielded in milliseconds, so that several typists can share one thread.
local Typist = {}
Typist.__index = Typist

---@class TypistHabits
local defaults = {
  key_ms = 105,        -- median between two letters of a word
  word_ms = 180,       -- before a word
  line_ms = 620,       -- before a line
  read_ms = 420,       -- looking at a suggestion before taking it
  notice_ms = 260,     -- between seeing a slip and the first backspace
  spread = 0.38,       -- sigma of the log-normal distribution of all of these
  think_ms = 2100,     -- now and then, before a line or a word
  thinks = 0.03,
  slips = 0.022,       -- of the letters
  notice = 2,          -- letters typed on before a slip is seen, at most
  takes = 0.85,        -- of the suggestions that say just what is wanted
  takes_word = 0.5,    -- of those whose first word is
  takes_wrong = 0.03,  -- of those that are not what is wanted: taken in haste, and taken back
}

local rows = { 'qwertyuiop', 'asdfghjkl', 'zxcvbnm' }

---@param child table a Child of tests/e2e/nvim
---@param random fun(): number in [0, 1), the typist's own
---@param habits? table<string, number>
function Typist.new(child, random, habits)
  return setmetatable({ child = child, random = random, habits = vim.tbl_extend('force', defaults, habits or {}) }, Typist)
end

function Typist:chance(share)
  return self.random() < share
end

--- Log-normal around `median_ms` (Box and Muller 1958).
function Typist:pause(median_ms)
  local normal = math.sqrt(-2 * math.log(1 - self.random())) * math.cos(2 * math.pi * self.random())
  coroutine.yield(median_ms * math.exp(self.habits.spread * normal))
end

function Typist:press(keys)
  self.child:type(keys == '<' and '<lt>' or keys)
end

--- The letter beside `letter` on the keyboard, in its case; other characters are hit as they should.
function Typist:neighbour(letter)
  for _, row in ipairs(rows) do
    local at = row:find(letter:lower(), 1, true)
    if at then
      local other = at == 1 and 2 or at == #row and at - 1 or at + (self:chance(0.5) and 1 or -1)
      local found = row:sub(other, other)
      return letter:match('%u') and found:upper() or found
    end
  end
  return letter
end

local function common_prefix(a, b)
  local length = math.min(#a, #b)
  for i = 1, length do
    if a:byte(i) ~= b:byte(i) then
      return i - 1
    end
  end
  return length
end

--- What the typist sees: the text from the beginning of line `row` (from 0) to the cursor, and the suggestion.
function Typist:look(row)
  return self.child:lua(
    [[
      local state = Observe.state()
      local lines = vim.api.nvim_buf_get_lines(0, ..., state.row, false)
      lines[#lines + 1] = state.before
      return { typed = table.concat(lines, '\n'), ghost = state.ghost and state.ghost.text, mode = state.mode }
    ]],
    row
  )
end

--- Takes the suggestion, or a part of it, where that is what is wanted. True: a key was pressed.
function Typist:take(ghost, rest)
  if not ghost or ghost == self.considered then
    return false
  end
  self.considered = ghost
  local same = common_prefix(ghost, rest)
  local word = ghost:match('^%s*[%w_]+') or ghost:match('^%s*%p+') or ''
  local first_line = ghost:match('^[^\n]*')
  local key
  if same == #ghost and #ghost > 2 and self:chance(self.habits.takes) then
    key = '<Tab>'
  elseif #first_line > 2 and same >= #first_line and self:chance(self.habits.takes) then
    key = '<C-Down>'
  elseif #word > 2 and same >= #word and self:chance(self.habits.takes_word) then
    key = '<C-Right>'
  elseif same < #ghost and self:chance(self.habits.takes_wrong) then
    key, self.regrets = '<Tab>', true
  else
    return false
  end
  self:pause(self.habits.read_ms)
  self:press(key)
  self:pause(self.habits.word_ms)
  return true
end

--- Presses the key for `wanted`, or slips.
function Typist:hit(wanted, after)
  if not wanted:match('%a') or not self:chance(self.habits.slips) then
    return self:press(wanted)
  end
  local kind = self.random()
  if kind < 0.2 then
    self:press(wanted)
    self:pause(self.habits.key_ms)
    self:press(wanted)
  elseif kind < 0.45 and after:match('^%a') then
    self:press(after:sub(1, 1))
    self:pause(self.habits.key_ms)
    self:press(wanted)
  else
    self:press(self:neighbour(wanted))
  end
  for letter in after:sub(2, 1 + math.floor(self.random() * (self.habits.notice + 1))):gmatch('[%w_]') do
    self:pause(self.habits.key_ms)
    self:press(letter)
  end
  self:pause(self.habits.notice_ms)
end

--- What has to be gone before the typist can go on.
function Typist:mend(extra, next_wanted)
  if next_wanted == '\n' and extra:match('^[ \t]+$') then
    return self:press('<CR>')  -- the editor takes the indentation of an empty line away
  end
  self:pause(self.habits.key_ms)
  if self.regrets then
    self.regrets = false
    return self:press('<C-o>u')
  end
  self:press('<BS>')
end

function Typist:rhythm(typed, wanted)
  if self:chance(self.habits.thinks) and not typed:match('[%w_]$') then
    return self:pause(self.habits.think_ms)
  end
  if wanted == '\n' then
    return self:pause(self.habits.word_ms)
  elseif typed:match('^%s*$') or typed:match('\n%s*$') then
    return self:pause(typed:match(' $') and wanted == ' ' and self.habits.key_ms or self.habits.line_ms)
  end
  self:pause(typed:match('[%w_]$') and self.habits.key_ms or self.habits.word_ms)
end

--- In insert mode on line `row` (from 0), whose beginning to the cursor is the typist's: makes `target` of it.
---@param row integer
---@param target string
function Typist:write(row, target)
  for _ = 1, 20 * #target + 200 do
    local seen = self:look(row)
    local typed = seen.typed
    local same = common_prefix(typed, target)
    if typed == target then
      return
    end
    local wanted, after = target:sub(same + 1, same + 1), target:sub(same + 2)
    if same < #typed then
      self:mend(typed:sub(same + 1), wanted)
    elseif not self:take(seen.ghost, target:sub(same + 1)) then
      self:rhythm(typed, wanted)
      local now = self:look(row)  -- a suggestion that came while the hand was moving may be looked at
      if now.typed == typed and not self:take(now.ghost, target:sub(same + 1)) then
        if wanted == '\n' then
          self:press('<CR>')
        else
          self:hit(wanted, after)
        end
      end
    end
    coroutine.yield(4)  -- the key is on its way
  end
  error(('%q was not typed: it is %q'):format(target, self:look(row).typed))
end

return Typist
