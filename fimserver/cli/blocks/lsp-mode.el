(add-to-list 'load-path "~/src/fimserver/editors/emacs")
(require 'fimserver)
(add-hook 'prog-mode-hook #'lsp-deferred)
