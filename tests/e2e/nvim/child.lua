-- A Neovim under test: a real one in a real terminal (a pty whose screen the controlling Neovim keeps), typed into with
-- nvim_input, looked into over its RPC socket. Everything waits for a condition with a deadline, nothing sleeps.
local Child = {}
Child.__index = Child

local here = vim.fs.dirname(vim.fs.abspath(debug.getinfo(1, 'S').source:sub(2)))

local poll_ms = 5
local default_deadline_ms = 20000
local request_deadline_ms = 30000  -- a Neovim that asks for a key answers no request

---@param folder string the child's files, state and socket are here
---@param options { nvim: string, weftd: string, repository: string, model?: string, weft?: string, weftd_args?: string }
function Child.new(folder, options)
  return setmetatable({ folder = folder, options = options }, Child)
end

--- @param what string what is waited for, for the message
--- @param condition fun(): any  done when true; its last value is returned
--- @param deadline_ms? integer
function Child:wait(what, condition, deadline_ms)
  deadline_ms = deadline_ms or default_deadline_ms
  local value
  local done = vim.wait(deadline_ms, function()
    value = condition()
    return value and true or false
  end, poll_ms)
  if not done then
    error(('no %s within %d ms'):format(what, deadline_ms), 2)
  end
  return value
end

--- Starts Neovim on `file`. `setup`: options of require('weft').setup; false: it is not called.
---@param file string
---@param setup table|false
---@param environment? table<string, string>
function Child:start(file, setup, environment)
  local socket = self.folder .. '/nvim.sock'
  vim.cmd.enew()
  vim.o.columns, vim.o.lines = 120, 40
  self.terminal = vim.api.nvim_get_current_buf()
  self.job = vim.fn.jobstart(
    { self.options.nvim, '--clean', '-n', '-u', here .. '/child_init.lua', '--listen', socket, file },
    {
      term = true,
      cwd = self.folder,
      env = vim.tbl_extend('force', {
        HOME = self.folder,
        XDG_STATE_HOME = self.folder .. '/state',
        XDG_DATA_HOME = self.folder .. '/data',
        XDG_CACHE_HOME = self.folder .. '/cache',
        XDG_CONFIG_HOME = self.folder .. '/config',
        WEFT_TEST_PLUGIN = self.options.repository .. '/editors/nvim',
        WEFT_TEST_SETUP = setup and vim.json.encode(setup) or '',
        WEFTD = '',
      }, environment or {}),
    }
  )
  assert(self.job > 0, 'cannot start ' .. self.options.nvim)
  self.channel = self:wait('socket of the Neovim under test', function()
    local ok, channel = pcall(vim.fn.sockconnect, 'pipe', socket, { rpc = true })
    return ok and channel > 0 and channel
  end)
  self:wait('start of the Neovim under test', function()
    -- Before its terminal is attached it waits for that, which counts as blocking.
    local ok, entered = pcall(self.lua, self, 'return vim.v.vim_did_enter')
    return ok and entered == 1
  end)
  self.pid = self:lua('return vim.fn.getpid()')
end

--- Runs Lua in the child; `...` are its arguments.
---@param code string
function Child:lua(code, ...)
  local mode = vim.rpcrequest(self.channel, 'nvim_get_mode')
  assert(not mode.blocking, 'the Neovim under test waits for a key')
  local pids = { self.pid, vim.fn.jobpid(self.job) }
  local watchdog = assert(vim.uv.new_timer())
  watchdog:start(request_deadline_ms, 0, function()
    for _, pid in pairs(pids) do
      vim.uv.kill(pid, 'sigkill')  -- ends the request below with an error
    end
  end)
  local ok, result = pcall(vim.rpcrequest, self.channel, 'nvim_exec_lua', code, { ... })
  watchdog:close()
  if not ok then
    error(result, 2)
  end
  return result
end

--- Types `keys`, as at a keyboard.
---@param keys string
function Child:type(keys)
  vim.rpcrequest(self.channel, 'nvim_input', keys)
end

--- See Observe.state in child_init.lua.
function Child:state()
  return self:lua('return Observe.state()')
end

---@return string[]
function Child:lines()
  return self:lua('return vim.api.nvim_buf_get_lines(0, 0, -1, false)')
end

--- What stands on the child's screen.
---@return string[]
function Child:screen()
  if not self.terminal then
    return {}
  end
  return vim.api.nvim_buf_get_lines(self.terminal, 0, -1, false)
end

function Child:stop()
  if self.channel then
    pcall(vim.rpcnotify, self.channel, 'nvim_command', 'qall!')
  end
  if self.job and vim.fn.jobwait({ self.job }, 3000)[1] == -1 then
    for _, pid in pairs({ self.pid, vim.fn.jobpid(self.job) }) do
      vim.uv.kill(pid, 'sigkill')
    end
    vim.fn.jobwait({ self.job }, 3000)
  end
  if self.terminal then
    vim.api.nvim_buf_delete(self.terminal, { force = true })
  end
end

return Child
