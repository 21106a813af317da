-- :checkhealth weft
local M = {}

local health = vim.health

local function check_neovim()
  health.start('weft: Neovim')
  local version = tostring(vim.version())
  if vim.fn.has('nvim-0.12') == 0 then
    health.error('Neovim ' .. version .. ' has no inline completion', 'install Neovim 0.12 or newer')
    return false
  end
  health.ok('Neovim ' .. version)
  if vim.g.weft_enabled == false then
    health.warn('weft is switched off', 'remove `vim.g.weft_enabled = false`, or call require("weft").enable()')
  end
  return true
end

--- The first line of `weftd --version`.
---@param path string
---@return string? version, string? problem
local function version_of(path)
  local started, process = pcall(vim.system, { path, '--version' }, { text = true })
  if not started then
    return nil, process --[[@as string]]
  end
  local done = process:wait(5000)
  local line = vim.split(vim.trim(done.stdout or ''), '\n')[1]
  if done.code ~= 0 or line == '' then
    return nil, ('exit status %d: %s'):format(done.code, vim.trim(done.stderr or ''))
  end
  return line
end

local function check_weftd()
  health.start('weft: weftd')
  local server = require('weft.server')
  local path, place, problem = server.find()
  if not path then
    health.error(problem --[[@as string]], {
      'build weft: `make build` in its checkout leaves build/release/bin/weftd',
      'or set $WEFTD, or require("weft").setup({ cmd = "/path/to/weftd" })',
    })
    return
  end
  health.ok(('%s (from %s)'):format(path, place))
  local version, failure = version_of(path)
  if version then
    health.ok(version)
  else
    health.error('weftd --version failed: ' .. failure, 'build it again, then run `weft doctor`')
  end
  local model = require('weft').options.model
  if model and vim.fn.isdirectory(vim.fs.normalize(model)) == 0 then
    health.error(('model folder %s does not exist'):format(model), 'mend `model` in require("weft").setup')
  end
end

local function check_client()
  health.start('weft: client')
  local client = vim.lsp.get_clients({ name = 'weft' })[1]
  if not client then
    local types = (vim.lsp.config.weft or {}).filetypes or {}
    health.warn('not attached to any buffer', {
      'open a file of a type that weft serves: ' .. table.concat(types, ', '),
      'if it still does not attach, look into ' .. vim.lsp.log.get_filename(),
    })
    return
  end
  local buffers = vim.tbl_count(client.attached_buffers)
  health.ok(('attached to %d buffer%s, positions in %s'):format(buffers, buffers == 1 and '' or 's', client.offset_encoding))
  if not client:supports_method('textDocument/inlineCompletion') then
    health.error('this weftd offers no inline completion', 'check that $WEFTD names weftd and not another server')
  end
  local reply, problem = client:request_sync('weft/status', vim.empty_dict(), 5000)
  if not reply then
    health.warn('no answer to weft/status: ' .. tostring(problem), 'weftd may still be loading its model; try again')
  elseif reply.err then
    health.info('weftd gives no status: ' .. reply.err.message)
  else
    if type(reply.result) == 'table' and reply.result.state == 'failed' then
      health.error('weftd has no model to work with', {
        'run `weft doctor`',
        'or name a model: $WEFT_MODEL, or `model` in require("weft").setup',
      })
    end
    for _, line in ipairs(require('weft').status_lines(reply.result)) do
      health.info(line)
    end
  end
end

function M.check()
  if check_neovim() then
    check_weftd()
    check_client()
  end
end

return M
